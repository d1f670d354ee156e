/**
 * How many sessions each candidate may have so that none has more than `factor` times its share by
 * weight. What all of them have together is kept up by change.
 */
import type { Candidates } from './policy.js';

/**
 * Up to this many sessions a member takes every client whose home it is. With a handful of sessions
 * in the pool the fair share is one or two, and a client's second session would leave the first
 * one's backend.
 */
export const UNBOUND_SESSIONS = 8;

/** Weights are added up in thousandths, as the ledger has them: whole numbers do not drift. */
const SCALE = 1000;

export class BoundedLoad {
  readonly #candidates: Candidates;
  readonly #factor: number;
  /** By member, as added up below. */
  readonly #counted: Int32Array;
  readonly #weighed: Float64Array;
  #active = 0;
  #weight = 0;

  /** `members`: of the pool. `factor` 0: no bound. */
  constructor(members: number, candidates: Candidates, factor: number) {
    this.#candidates = candidates;
    this.#factor = factor;
    this.#counted = new Int32Array(factor > 0 ? members : 0);
    this.#weighed = new Float64Array(factor > 0 ? members : 0);
    for (let position = 0; position < candidates.count; position++) {
      this.added(candidates.at(position));
    }
  }

  /** Whether `member`, a candidate, may have one more. */
  hasRoom(member: number): boolean {
    return this.#factor === 0 || this.#candidates.activeOf(member) < this.limitOf(member);
  }

  /** Sessions that `member`, a candidate, may have now. */
  limitOf(member: number): number {
    const weight = this.#candidates.weightOf(member);
    if (weight <= 0) return 0;
    const fair = ((this.#active + 1) * weight * SCALE) / this.#weight;
    return Math.max(UNBOUND_SESSIONS, Math.ceil(this.#factor * fair));
  }

  added(member: number): void {
    if (this.#factor === 0) return;
    const active = this.#candidates.activeOf(member);
    const weight = Math.round(this.#candidates.weightOf(member) * SCALE);
    this.#counted[member] = active;
    this.#weighed[member] = weight;
    this.#active += active;
    this.#weight += weight;
  }

  removed(member: number): void {
    if (this.#factor === 0) return;
    this.#active -= this.#counted[member] ?? 0;
    this.#weight -= this.#weighed[member] ?? 0;
  }

  counted(member: number): void {
    if (this.#factor === 0) return;
    const active = this.#candidates.activeOf(member);
    this.#active += active - (this.#counted[member] ?? 0);
    this.#counted[member] = active;
  }
}
