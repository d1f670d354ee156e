/** A pool as a policy sees it, for tests: settable figures, every member eligible by default. */
import { CandidateSet } from '../../src/balance/candidate_set.js';
import type {
  Candidates,
  Policy,
  PolicyExplanation,
  PolicyMember,
} from '../../src/balance/policy.js';
import { createPolicy } from '../../src/balance/registry.js';
import { OwnTurns, type Turns } from '../../src/balance/turns.js';
import { present } from '../../src/core/assert.js';
import { type Random, seededRandom } from '../../src/core/random.js';
import type { PolicyName } from '../../src/core/spec.js';
import { type HashOptions, policyNamed } from '../support/policies.js';

export function policyOf(
  name: PolicyName,
  members: readonly PolicyMember[],
  hash: HashOptions = {},
  turns: Turns = new OwnTurns(),
): DrivenPolicy {
  return new DrivenPolicy(barePolicy(name, members, hash, turns), members.length);
}

export function barePolicy(
  name: PolicyName,
  members: readonly PolicyMember[],
  hash: HashOptions = {},
  turns: Turns = new OwnTurns(),
): Policy {
  // A small table keeps randomised tests quick; those that measure Maglev name their own size.
  return createPolicy(policyNamed(name, { tableSize: 1021, ...hash }), members, turns);
}

/** Members b0, b1 … with these weights. */
export function membersOf(...weights: readonly number[]): PolicyMember[] {
  return weights.map((weight, index) => ({ name: `b${index}`, weight }));
}

/** `count` members of weight 1. */
export function equalMembers(count: number): PolicyMember[] {
  return membersOf(...Array.from({ length: count }, () => 1));
}

export class Situation implements Candidates {
  readonly eligible: Int32Array;
  eligibleCount: number;
  nowMs = 0;
  readonly active: Int32Array;
  readonly weight: Float64Array;
  readonly latencyMs: Float64Array;
  readonly failureRate: Float64Array;
  clientKey: Uint8Array = Uint8Array.of(192, 0, 2, 1);

  constructor(members: readonly PolicyMember[]) {
    this.eligible = Int32Array.from(members, (_, index) => index);
    this.eligibleCount = members.length;
    this.active = new Int32Array(members.length);
    this.weight = Float64Array.from(members, (member) => member.weight);
    this.latencyMs = new Float64Array(members.length);
    this.failureRate = new Float64Array(members.length);
  }

  get count(): number {
    return this.eligibleCount;
  }
  at(position: number): number {
    return this.eligible[position] ?? -1;
  }
  has(member: number): boolean {
    return this.eligible.subarray(0, this.eligibleCount).includes(member);
  }
  weightOf(member: number): number {
    return this.weight[member] ?? 0;
  }
  activeOf(member: number): number {
    return this.active[member] ?? 0;
  }
  latencyMsOf(member: number): number {
    return this.latencyMs[member] ?? 0;
  }
  failureRateOf(member: number): number {
    return this.failureRate[member] ?? 0;
  }

  /** Only these are eligible; in ascending order. */
  only(...indices: readonly number[]): this {
    this.eligible.set(indices);
    this.eligibleCount = indices.length;
    return this;
  }

  without(index: number): this {
    return this.only(...this.candidates().filter((candidate) => candidate !== index));
  }

  candidates(): number[] {
    return [...this.eligible.subarray(0, this.eligibleCount)];
  }

  /** Chooses and counts the session in. */
  take(policy: DrivenPolicy, random: Random): number {
    const member = policy.choose(this, random);
    this.active[member] = present(this.active[member], 'a policy chooses a member') + 1;
    return member;
  }

  /** An IPv4 client, numbered. */
  client(number: number): this {
    this.clientKey = Uint8Array.of(10, number >>> 16, number >>> 8, number);
    return this;
  }
}

/**
 * A policy with one set of candidates that follows any situation: before each choice it gets what
 * has changed since the last one, as from the pool.
 */
export class DrivenPolicy {
  readonly #policy: Policy;
  #situation: Situation = new Situation([]);
  #told: Situation = new Situation([]);
  #candidates: CandidateSet;

  constructor(policy: Policy, members: number) {
    this.#policy = policy;
    this.#candidates = this.#over(members);
  }

  get needs(): Policy['needs'] {
    return this.#policy.needs;
  }

  choose(situation: Situation, random: Random): number {
    this.#follow(situation);
    return this.#candidates.choose(situation.clientKey, random);
  }

  /** The rule in words. */
  explain(situation: Situation): string {
    return this.foresee(situation, seededRandom(1)).sentence;
  }

  foresee(situation: Situation, random: Random): PolicyExplanation {
    this.#follow(situation);
    return this.#candidates.explain(situation.clientKey, random);
  }

  /** By candidate. */
  scores(situation: Situation): ReadonlyMap<number, number | null> {
    this.#follow(situation);
    const all = situation.candidates();
    return new Map(all.map((member) => [member, this.#candidates.scoreOf(member)]));
  }

  update(members: readonly PolicyMember[]): void {
    this.#policy.update(members);
    this.#candidates = this.#over(members.length);
  }

  /**
   * The same policy with a new set of candidates, which has followed nothing yet and looks at every
   * member.
   */
  anew(members: number): DrivenPolicy {
    return new DrivenPolicy(this.#policy, members);
  }

  #over(members: number): CandidateSet {
    const now = (): Situation => this.#situation;
    const candidates = new CandidateSet(members, {
      get nowMs() {
        return now().nowMs;
      },
      activeOf: (member) => now().activeOf(member),
      latencyMsOf: (member) => now().latencyMsOf(member),
      failureRateOf: (member) => now().failureRateOf(member),
    });
    candidates.chooseBy(this.#policy);
    const names = Array.from({ length: members }, (_, index) => ({ name: `${index}`, weight: 0 }));
    this.#told = new Situation(names);
    return candidates;
  }

  #follow(situation: Situation): void {
    const candidates = this.#candidates;
    const told = this.#told;
    this.#situation = situation;
    const eligible = new Uint8Array(situation.active.length);
    for (const member of situation.candidates()) eligible[member] = 1;
    for (const member of situation.active.keys()) {
      if (eligible[member] === 1) candidates.put(member, situation.weightOf(member));
      else candidates.remove(member);
      const counted = situation.activeOf(member) !== told.activeOf(member);
      if (counted && this.needs.counts) candidates.counted(member);
      const measured =
        situation.latencyMsOf(member) !== told.latencyMsOf(member) ||
        situation.failureRateOf(member) !== told.failureRateOf(member);
      if (measured && this.needs.latency) candidates.measured(member);
    }
    told.active.set(situation.active);
    told.latencyMs.set(situation.latencyMs);
    told.failureRate.set(situation.failureRate);
  }
}

/** How often each of `members` comes in `turns` choices; `prepare` runs before each. */
export function tally(
  policy: DrivenPolicy,
  situation: Situation,
  random: Random,
  turns: number,
  prepare: (turn: number) => void = () => {},
): number[] {
  const counts = Array.from(situation.weight, () => 0);
  for (let turn = 0; turn < turns; turn++) {
    prepare(turn);
    const member = policy.choose(situation, random);
    counts[member] = (counts[member] ?? 0) + 1;
  }
  return counts;
}

/** Pearson's statistic of `counts` against shares in proportion to `weights`. */
export function chiSquare(counts: readonly number[], weights: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const weight = weights.reduce((sum, share) => sum + share, 0);
  return counts.reduce((sum, count, index) => {
    const expected = (total * (weights[index] ?? 0)) / weight;
    return expected === 0
      ? sum + (count === 0 ? 0 : Infinity)
      : sum + (count - expected) ** 2 / expected;
  }, 0);
}

/**
 * The bound that chi-square of `degrees` passes once in ten million (Wilson and Hilferty's cube,
 * PNAS 17, 1931; 5.2 is the normal quantile).
 */
export function chiSquareLimit(degrees: number): number {
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + 5.2 * Math.sqrt(spread)) ** 3;
}
