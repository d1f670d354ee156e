/**
 * How one lost worker is replaced: when the next attempt comes, and which failures are reported. A
 * thread that cannot start, or that ends as soon as it serves, must neither spin nor be silent.
 */

/** Before the first attempt; each one after it waits twice as long. */
export const FIRST_RESTART_MS = 250;
export const LONGEST_RESTART_MS = 5_000;
/** How often a failure that lasts is reported, however often it is tried again. */
export const TOLD_EVERY_MS = 60_000;
/** A thread that has served for this long was started well: its loss is a new one. */
export const SETTLED_MS = 1_000;

export interface Retry {
  readonly pauseMs: number;
  readonly tell: 'now' | 'not again';
}

/** Times are those of a monotonic clock. */
export class WorkerRetries {
  #pauseMs = FIRST_RESTART_MS;
  #servesSinceMs: number | null = null;
  #failures = 0;
  #problem: string | null = null;
  #toldMs = 0;

  /** Attempts that have failed since a thread last served. */
  get failures(): number {
    return this.#failures;
  }

  /** Why the last attempt failed; null while a thread serves, and before any has failed. */
  get problem(): string | null {
    return this.#problem;
  }

  serves(nowMs: number): void {
    this.#servesSinceMs = nowMs;
    this.#failures = 0;
    this.#problem = null;
  }

  /** A thread that served has ended: how long the next one waits. */
  lost(nowMs: number): number {
    const servedMs = nowMs - (this.#servesSinceMs ?? nowMs);
    if (servedMs >= SETTLED_MS) this.#pauseMs = FIRST_RESTART_MS;
    this.#servesSinceMs = null;
    return this.#nextPauseMs();
  }

  /** A thread has ended before it served. */
  failed(sentence: string, nowMs: number): Retry {
    const isKnown = this.#problem === sentence && nowMs - this.#toldMs < TOLD_EVERY_MS;
    if (!isKnown) this.#toldMs = nowMs;
    this.#problem = sentence;
    this.#failures++;
    return { pauseMs: this.#nextPauseMs(), tell: isKnown ? 'not again' : 'now' };
  }

  #nextPauseMs(): number {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pauseMs, LONGEST_RESTART_MS);
    return pauseMs;
  }
}
