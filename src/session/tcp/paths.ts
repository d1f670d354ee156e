/**
 * Whose connections the kernel is asked about when they end. Two questions take three microseconds
 * of the fifty of a short session, so where many end only some are asked about: those that lasted
 * are, as far as there is room, since they say most about the network.
 */
import type { PathInfo } from '../../core/path_info.js';
import { below, type Random } from '../../core/random.js';

/** Of one worker: up to this many in a second all are asked about, beyond that a sample. */
const ALL_PER_SECOND = 100;
const ONE_OF = 64;
const MOST_PER_SECOND = 1_000;
const LONG_MS = 1_000;

/** Of both connections of a session; null: the kernel does not say. */
export interface Paths {
  readonly client: PathInfo | null;
  readonly backend: PathInfo | null;
}

export const NO_PATHS: Paths = { client: null, backend: null };

export class PathSampler {
  readonly #random: Random;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #asked = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Whether to ask about a session that ends, `lastedMs` after its begin. */
  takes(nowMs: number, lastedMs: number): boolean {
    if (nowMs - this.#sinceMs >= 1_000) {
      this.#sinceMs = nowMs;
      this.#asked = 0;
    }
    if (this.#asked >= MOST_PER_SECOND) return false;
    const isMeant =
      this.#asked < ALL_PER_SECOND || lastedMs >= LONG_MS || below(this.#random, ONE_OF) === 0;
    if (isMeant) this.#asked++;
    return isMeant;
  }
}
