/**
 * Successive watches that brought nothing and could not be followed: how long to wait until the
 * next one, and what people should know. A watch that has lasted for a while did its work.
 */
import { unreachable } from '../core/assert.js';
import { jittered, type Random } from '../core/random.js';
import type { StreamEnd } from './http_stream.js';
import type { SourceFailed } from './source.js';

/** Something that ends watches sooner (a proxy between, a server in trouble) ends all of them. */
const LASTING_MS = 5_000;
const LAST_WAIT_MS = 15_000;
const JITTER = 0.2;

export class Misses {
  readonly #random: Random;
  readonly #firstWaitMs: number;
  #count = 0;
  #why = '';

  constructor(random: Random, firstWaitMs: number) {
    this.#random = random;
    this.#firstWaitMs = firstWaitMs;
  }

  /** In turn. */
  get count(): number {
    return this.#count;
  }

  /** One that lasted for `lastedMs` and ended; `why`: a clause about the watch. */
  miss(why: string, lastedMs: number): void {
    this.#count = this.hasLasted(lastedMs) ? 1 : this.#count + 1;
    this.#why = why;
  }

  none(): void {
    this.#count = 0;
  }

  hasLasted(lastedMs: number): boolean {
    return lastedMs >= LASTING_MS;
  }

  /** Doubled with each miss, the first of which may be free of it. */
  waitMs(free = 0): number {
    const turn = Math.max(0, this.#count - 1 - free);
    const waitMs = Math.min(LAST_WAIT_MS, this.#firstWaitMs * 2 ** turn);
    return jittered(this.#random, waitMs, JITTER);
  }

  /** Two in turn may be a restart. */
  get remarks(): readonly string[] {
    if (this.#count < 3) return [];
    return [
      `its changes cannot be followed (${this.#why}): it is asked for all of it now and then`,
    ];
  }
}

/** A clause about a watch that ended so. */
export function whyMissed(end: StreamEnd | SourceFailed): string {
  switch (end.kind) {
    case 'status':
      return `the watch answers ${end.status}`;
    case 'failed':
      return end.problem;
    case 'unusable':
      return 'the watch is too old, or says what cannot be read';
    case 'lost':
    case 'quiet':
    case 'news':
      return 'the watch ends at once';
    default:
      return unreachable(end);
  }
}
