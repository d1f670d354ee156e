/** A pool as a policy sees it, for tests: settable figures, every member eligible unless told. */
import type { Choice, Member, Policy } from '../../src/balance/policy.js';
import { createPolicy } from '../../src/balance/registry.js';
import { OwnTurns, type Turns } from '../../src/balance/turns.js';
import { present } from '../../src/core/assert.js';
import type { Random } from '../../src/core/random.js';
import type { HashSpec, PolicyName } from '../../src/core/spec.js';

export const HASH: HashSpec = {
  algorithm: 'maglev',
  ipv6PrefixBits: 64,
  balanceFactor: 1.25,
  tableSize: 65_537,
};

export function policyOf(
  name: PolicyName,
  members: readonly Member[],
  hash: Partial<HashSpec> = {},
  turns: Turns = new OwnTurns(),
): Policy {
  // A small table keeps randomised tests quick; those that measure Maglev name their own size.
  return createPolicy(name, members, { hash: { ...HASH, tableSize: 1021, ...hash }, turns });
}

/** Members b0, b1 … with these weights. */
export function membersOf(...weights: readonly number[]): Member[] {
  return weights.map((weight, index) => ({ name: `b${index}`, weight }));
}

/** `count` members of weight 1. */
export function equalMembers(count: number): Member[] {
  return membersOf(...Array.from({ length: count }, () => 1));
}

export class Situation implements Choice {
  readonly eligible: Int32Array;
  eligibleCount: number;
  readonly active: Int32Array;
  readonly weight: Float64Array;
  readonly latencyMs: Float64Array;
  readonly failureRate: Float64Array;
  clientKey: Uint8Array = Uint8Array.of(192, 0, 2, 1);

  constructor(members: readonly Member[]) {
    this.eligible = Int32Array.from(members, (_, index) => index);
    this.eligibleCount = members.length;
    this.active = new Int32Array(members.length);
    this.weight = Float64Array.from(members, (member) => member.weight);
    this.latencyMs = new Float64Array(members.length);
    this.failureRate = new Float64Array(members.length);
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
  take(policy: Policy, random: Random): number {
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

/** How often each of `members` comes in `turns` choices; `prepare` runs before each. */
export function tally(
  policy: Policy,
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
 * The bound that chi-square of `degrees` passes once in a million (Wilson and Hilferty's cube,
 * PNAS 17, 1931; 4.75 is the normal quantile).
 */
export function chiSquareLimit(degrees: number): number {
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + 4.75 * Math.sqrt(spread)) ** 3;
}
