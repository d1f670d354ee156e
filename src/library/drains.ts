/**
 * Waits for the end of a drain. It ends when the backend has nothing any more, when it is taken
 * back, when the balancer closes, or when its time is over: a lease that is never settled must not
 * hold up a shutdown for ever.
 */
import type { Timers } from '../core/clock.js';
import type { Entry } from './entry.js';

interface Wait {
  readonly entry: Entry;
  readonly end: () => void;
}

export class DrainWaits {
  readonly #timers: Timers;
  readonly #waits = new Set<Wait>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Resolves at the end of the drain of `entry`, after `limitMs` at the latest. */
  wait(entry: Entry, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#waits.delete(wait);
        resolve();
      };
      const wait: Wait = { entry, end };
      const timer = this.#timers.after(limitMs, end);
      this.#waits.add(wait);
    });
  }

  ended(entry: Entry): void {
    for (const wait of [...this.#waits]) if (wait.entry === entry) wait.end();
  }

  close(): void {
    for (const wait of [...this.#waits]) wait.end();
  }
}
