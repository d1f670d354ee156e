/**
 * The rows of the pairs that a worker has served last. Mostly the next session of a backend comes
 * by the same listener; and of thousands of backends these words are in a cache where the shared
 * table of slots is not.
 */
import type { BackendId, ListenerId } from './brand.js';
import { MAX_BACKENDS } from './limits.js';
import { NO_ROW, type PairIndex } from './pair_index.js';

export class LastRows {
  readonly #pairs: PairIndex;
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
    if (last !== NO_ROW && this.#pairs.isOf(last, listener, backend)) return last;
    const row = this.#pairs.take(listener, backend);
    this.#byBackend[backend] = row;
    return row;
  }
}
