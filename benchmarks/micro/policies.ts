/**
 * What does a choice cost? Nanoseconds by policy and number of backends; policies take turns over
 * several rounds. Backends have unequal weights, which are the dear case for the weighted draws,
 * unequal loads and known latencies; clients change. Run: `node dist/benchmarks/micro/policies.js`
 */
import type { Choice, Member, Policy } from '../../src/balance/policy.js';
import { createPolicy } from '../../src/balance/registry.js';
import { OwnTurns } from '../../src/balance/turns.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { describeMachine } from '../support/machine.js';
import { markdownTable, spread } from '../support/markdown.js';

const SIZES = [3, 30, 300];
const ROUNDS = 5;
const CHOICES = 60_000;
const HASH = {
  algorithm: 'maglev',
  ipv6PrefixBits: 64,
  balanceFactor: 1.25,
  tableSize: 65_537,
} as const;

interface Subject {
  readonly policy: Policy;
  readonly choice: Choice & { readonly active: Int32Array };
  readonly random: Random;
}

process.stdout.write(
  `${describeMachine()}; ns a choice, median (least–greatest) of ${ROUNDS} rounds

`,
);
process.stdout.write(`${report()}\n`);

function report(): string {
  const subjects = POLICY_NAMES.map((name) => SIZES.map((size) => subjectOf(name, size)));
  const samples = subjects.map((row) => row.map((): number[] => []));
  for (const row of subjects) for (const subject of row) nanoseconds(subject);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, row] of subjects.entries()) {
      for (const [size, subject] of row.entries()) {
        samples[at]?.[size]?.push(nanoseconds(subject));
      }
    }
  }
  const rows = POLICY_NAMES.map((name, at) => [
    name,
    ...(samples[at] ?? []).map((values) => spread(values, 0)),
  ]);
  return markdownTable([['policy', ...SIZES.map((size) => `${size} backends`)], ...rows]);
}

function subjectOf(name: (typeof POLICY_NAMES)[number], size: number): Subject {
  const random = seededRandom(size);
  const members: Member[] = Array.from({ length: size }, (_, index) => ({
    name: `10.0.${index >> 8}.${index & 255}:5432`,
    weight: 1 + (index % 3),
  }));
  const choice = {
    eligible: Int32Array.from(members.keys()),
    eligibleCount: size,
    active: Int32Array.from(members, () => below(random, 50)),
    weight: Float64Array.from(members, (member) => member.weight),
    latencyMs: Float64Array.from(members, () => 1 + random.next()),
    failureRate: new Float64Array(size),
    clientKey: new Uint8Array(4),
  };
  return {
    policy: createPolicy(name, members, { hash: HASH, turns: new OwnTurns() }),
    choice,
    random,
  };
}

function nanoseconds(subject: Subject): number {
  const begin = process.hrtime.bigint();
  work(subject, CHOICES);
  return Number(process.hrtime.bigint() - begin) / CHOICES;
}

/** Counts move as sessions come and go, so that no choice is like the last one. */
function work({ policy, choice, random }: Subject, choices: number): void {
  const { active, clientKey } = choice;
  for (let i = 0; i < choices; i++) {
    clientKey[i & 3] = i * 31;
    const member = policy.choose(choice, random);
    active[member] = (active[member] ?? 0) + 1;
    const done = (i * 7) % active.length;
    active[done] = Math.max(0, (active[done] ?? 0) - 1);
  }
}
