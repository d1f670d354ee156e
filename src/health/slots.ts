/** A limit on attempts in flight; those above it wait in the order in which they became due. */
import { assert } from '../core/assert.js';

export class Slots {
  readonly #limit: number;
  #busy = 0;
  readonly #queue = new Set<() => void>();
  #idleWaiters: (() => void)[] = [];

  /** `limit`: 1 or more. */
  constructor(limit: number) {
    assert(limit >= 1, 'at least one attempt may be in flight');
    this.#limit = limit;
  }

  /** Attempts in flight. */
  get busy(): number {
    return this.#busy;
  }

  /** Calls `begin` now, or as soon as a slot is free; one `release` must follow each call. */
  acquire(begin: () => void): void {
    if (this.#busy < this.#limit) {
      this.#busy++;
      begin();
    } else {
      this.#queue.add(begin);
    }
  }

  /** Takes `begin` out of the queue; nothing happens when it is not there. */
  withdraw(begin: () => void): void {
    this.#queue.delete(begin);
  }

  /** Gives a slot back; it goes to the one who has waited longest. */
  release(): void {
    assert(this.#busy > 0, 'a slot is released once for each time that it was taken');
    const [next] = this.#queue;
    if (next !== undefined) {
      this.#queue.delete(next);
      next();
      return;
    }
    this.#busy--;
    if (this.#busy > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** Resolves when no attempt is in flight. */
  idle(): Promise<void> {
    if (this.#busy === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }
}
