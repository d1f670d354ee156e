/**
 * What the engine itself does later (an accept that failed, a close that lingers): a list in order
 * of time. Most delays are of one length, so a new one nearly always belongs at the end.
 */
import type { Loop, TurnWork } from './loop.js';

interface Delay {
  readonly dueMs: number;
  readonly run: () => void;
}

export class Delays implements TurnWork {
  readonly #loop: Loop;
  readonly #entries: Delay[] = [];
  /** Entries before it are done. */
  #first = 0;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  /** Runs `run` in the turn that comes `delayMs` milliseconds after now, or in the next one. */
  later(delayMs: number, run: () => void): void {
    const dueMs = this.#loop.nowMs + delayMs;
    const entries = this.#entries;
    let at = entries.length;
    while (at > this.#first && (entries[at - 1]?.dueMs ?? 0) > dueMs) at--;
    entries.splice(at, 0, { dueMs, run });
  }

  after(): void {
    while (this.dueMs() <= this.#loop.nowMs) {
      const entry = this.#entries[this.#first++];
      entry?.run();
    }
    if (this.#first > 0 && this.#first * 2 >= this.#entries.length) {
      this.#entries.splice(0, this.#first);
      this.#first = 0;
    }
  }

  dueMs(): number {
    return this.#entries[this.#first]?.dueMs ?? Number.POSITIVE_INFINITY;
  }
}
