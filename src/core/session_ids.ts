/**
 * Names of sessions and flows: the same one in the access line, in `ctl sessions` and in events. A
 * session carries a small number only; its text is made only when it is shown.
 */
import type { WorkerId } from './brand.js';

/**
 * A thread begins to count where the wall clock says, in this many numbers a millisecond. It names
 * fewer sessions than that, so neither the thread after it nor the daemon after it names one again.
 */
const NUMBERS_PER_MS = 1_024;
const DIGITS = 36;

export class SessionIds {
  readonly #worker: WorkerId;
  readonly #base: number;
  #given = 0;

  /** `startWallMs`: when the worker's thread started. */
  constructor(worker: WorkerId, startWallMs: number) {
    this.#worker = worker;
    this.#base = Math.floor(startWallMs) * NUMBERS_PER_MS;
  }

  /** The number of a session that begins. */
  next(): number {
    return ++this.#given;
  }

  /** `0-hq1c8z4k2b`: the worker, and the number of the session there. */
  text(number: number): string {
    return `${this.#worker}-${(this.#base + number).toString(DIGITS)}`;
  }
}
