/**
 * Ties go round: of equals, the one that was chosen longest ago is next, wherever it stands in the
 * file. HAProxy's leastconn does the same inside a group of equally loaded servers, so that all the
 * idle ones are used. Members that were never chosen stand in an order drawn from the seed, so
 * that several workers do not begin with the same one.
 */
import type { Random } from '../core/random.js';
import { carryByName } from './carry.js';
import type { PolicyMember } from './policy.js';

/** Keeps members in an order that depends on this one. */
export interface RecencyFollower {
  /** `member` stands behind all others now. */
  wasChosen(member: number): void;
  /** New members have their places, each anywhere among those that were never chosen. */
  wereAdmitted(): void;
}

export interface RecencyOrder {
  isBefore(a: number, b: number): boolean;
}

export class Recency implements RecencyOrder {
  #members: readonly PolicyMember[];
  /**
   * By member: the number of the choice that it won last; negative = never, NaN = not yet drawn.
   */
  #stamps: Float64Array;
  #choices = 0;
  #hasFresh = true;
  readonly #followers: RecencyFollower[] = [];

  constructor(members: readonly PolicyMember[]) {
    this.#members = members;
    this.#stamps = new Float64Array(members.length).fill(Number.NaN);
  }

  /** Until the next update. */
  followedBy(follower: RecencyFollower): void {
    this.#followers.push(follower);
  }

  update(members: readonly PolicyMember[]): void {
    this.#stamps = carryByName(this.#members, this.#stamps, members, Number.NaN);
    this.#members = members;
    this.#hasFresh = true;
    this.#followers.length = 0;
  }

  /** Gives new members their place; before the comparisons of each choice. */
  admit(random: Random): void {
    if (!this.#hasFresh) return;
    this.#hasFresh = false;
    for (let member = 0; member < this.#stamps.length; member++) {
      if (Number.isNaN(this.#stamps[member])) this.#stamps[member] = random.next() - 1;
    }
    for (const follower of this.#followers) follower.wereAdmitted();
  }

  /** The order that `admit` would lead to, without leading there. */
  foreseen(random: Random): RecencyOrder {
    if (!this.#hasFresh) return this;
    const stamps = this.#stamps.map((stamp) => (Number.isNaN(stamp) ? random.next() - 1 : stamp));
    return { isBefore: (a, b) => (stamps[a] ?? 0) < (stamps[b] ?? 0) };
  }

  /** The less, the longer ago `member` was chosen; NaN: it has no place yet. */
  stampOf(member: number): number {
    return this.#stamps[member] ?? Number.NaN;
  }

  /** True when `a` was chosen longer ago than `b`. */
  isBefore(a: number, b: number): boolean {
    return (this.#stamps[a] ?? 0) < (this.#stamps[b] ?? 0);
  }

  chosen(member: number): void {
    this.#choices++;
    this.#stamps[member] = this.#choices;
    for (const follower of this.#followers) follower.wasChosen(member);
  }
}
