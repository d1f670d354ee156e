/**
 * Whether to look for completions for some microseconds before the thread is put to sleep. Waking a
 * core up takes about as long as a backend on the same machine needs for its answer, so between two
 * such neighbours sleeping is half of the latency. Everywhere else spinning is a waste: it begins
 * after a run of short waits, and ends as soon as it does not pay.
 */

/** What a spin may take, roughly. */
export const SPIN_MS = 0.01;
/** A turn whose wait a spin would have caught: it, a send, and the waking up. */
const SHORT_MS = 0.03;
/** Short waits in a row, after which spinning begins. */
const RUN = 32;
const FULL_CREDIT = 16;
/** This many hits pay for one miss. */
const MISS_COST = 4;

export class Spin {
  #run = 0;
  #credit = 0;

  /** True while spinning pays. */
  get pays(): boolean {
    return this.#credit > 0;
  }

  /** The thread slept, and was woken `turnMs` after it had been woken before. */
  slept(turnMs: number): void {
    this.#run = turnMs < SHORT_MS ? this.#run + 1 : 0;
    if (this.#run < RUN) return;
    this.#run = 0;
    this.#credit = FULL_CREDIT;
  }

  /** A spin has found something in time, or not. */
  spun(outcome: 'hit' | 'miss'): void {
    const credit = outcome === 'hit' ? this.#credit + 1 : this.#credit - MISS_COST;
    this.#credit = Math.max(0, Math.min(credit, FULL_CREDIT));
  }
}
