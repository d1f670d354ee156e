/**
 * Looks regularly at the sessions or flows that moved bytes, so that what long ones have moved
 * reaches the metrics. Thousands at rest cost next to nothing: one number of each is read, and as
 * long as none moves anything no sweep is due by itself.
 */
import { SWEEP_MS } from './lifetimes.js';

export class Sweep {
  readonly #lastActivityMs: Float64Array;
  #lastMs = 0;
  #found: 'activity' | 'rest' = 'rest';

  /** `lastActivityMs`: the engine's, by pair or flow. */
  constructor(lastActivityMs: Float64Array) {
    this.#lastActivityMs = lastActivityMs;
  }

  /** When the next one is due; after one that found rest: with whatever else is to be done. */
  get nextMs(): number {
    return this.#found === 'rest' ? Number.POSITIVE_INFINITY : this.#lastMs + SWEEP_MS;
  }

  isTime(nowMs: number): boolean {
    return nowMs >= this.#lastMs + SWEEP_MS;
  }

  /** Calls `look` for each that was active since the last sweep. */
  run<S>(nowMs: number, all: readonly (S | null | undefined)[], look: (one: S) => void): void {
    this.#found = 'rest';
    for (let at = 0; at < all.length; at++) {
      if ((this.#lastActivityMs[at] ?? 0) < this.#lastMs) continue;
      const one = all[at];
      if (one === null || one === undefined) continue;
      look(one);
      this.#found = 'activity';
    }
    this.#lastMs = nowMs;
  }
}
