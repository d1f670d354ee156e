/** A clock and timers that the test moves, for everything that takes time as an argument. */
import type { Clock, Timer, Timers } from '../../src/core/clock.js';

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Where the fake wall clock stands at the start: 2026-01-01 UTC. */
const WALL_START_MS = 1_767_225_600_000;

export class FakeTime implements Clock, Timers {
  #nowMs = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return WALL_START_MS + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const pending = { dueMs: this.#nowMs + delayMs, order: this.#order++, callback };
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }

  /** Timers that are set and have not fired. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Moves on by `ms`: each timer that becomes due fires at its time, and promises settle after it.
   */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#next(); next !== null && next.dueMs <= untilMs; next = this.#next()) {
      this.#nowMs = next.dueMs;
      this.#pending.delete(next);
      next.callback();
      await settled();
    }
    this.#nowMs = untilMs;
    await settled();
  }

  #next(): Pending | null {
    let first: Pending | null = null;
    for (const pending of this.#pending) {
      const sooner =
        first === null ||
        pending.dueMs < first.dueMs ||
        (pending.dueMs === first.dueMs && pending.order < first.order);
      if (sooner) first = pending;
    }
    return first;
  }
}

/** Resolves when every promise that could settle without the outside world has done so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
