/** The wait for the first verdict after the start: the first request shall find a backend. */
import type { Timers } from '../core/clock.js';

export class FirstVerdict {
  readonly #isUnproven: () => boolean;
  #look: () => void = () => {};

  /** `isUnproven`: no backend has had a verdict yet, and it may still be waited for. */
  constructor(isUnproven: () => boolean) {
    this.#isUnproven = isUnproven;
  }

  /** Resolves with the first verdict, or after `limitMs`. */
  async wait(timers: Timers, limitMs: number): Promise<void> {
    if (!this.#isUnproven()) return;
    await new Promise<void>((resolve) => {
      const timer = timers.after(limitMs, resolve);
      this.#look = () => {
        if (this.#isUnproven()) return;
        timer.cancel();
        resolve();
      };
    });
    this.#look = () => {};
  }

  /** Something has changed. */
  look(): void {
    this.#look();
  }
}
