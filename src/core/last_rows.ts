/**
 * The rows of the pairs that a worker has served last. Mostly the next session of a backend comes
 * by the same listener; and of thousands of backends these words are in a cache where the shared
 * table of slots and its keys are not. A row is its pair's until rows are given back.
 */
import type { BackendId, ListenerId } from './brand.js';
import { MAX_BACKENDS, MAX_PAIRS } from './limits.js';
import { NO_ROW, type PairIndex } from './pair_index.js';

export class LastRows {
  readonly #pairs: PairIndex;
  /** The listener times MAX_PAIRS, and the row. */
  readonly #byBackend = new Int32Array(MAX_BACKENDS).fill(NO_ROW);
  /** How many had been given back at the last look. */
  #releases = 0;

  constructor(pairs: PairIndex) {
    this.#pairs = pairs;
  }

  /** As `take` of the index. */
  take(listener: ListenerId, backend: BackendId): number {
    const { releases } = this.#pairs;
    if (releases !== this.#releases) {
      this.#releases = releases;
      this.#byBackend.fill(NO_ROW);
    }
    const last = this.#byBackend[backend] ?? NO_ROW;
    const row = last - listener * MAX_PAIRS;
    if (row >= 0 && row < MAX_PAIRS) return row;
    return this.#find(listener, backend);
  }

  #find(listener: ListenerId, backend: BackendId): number {
    const row = this.#pairs.take(listener, backend);
    this.#byBackend[backend] = row === NO_ROW ? NO_ROW : listener * MAX_PAIRS + row;
    return row;
  }
}
