/**
 * Pools that an operator holds with `--drain`: their sessions may run on for `drain_timeout`, then
 * what is left ends over `drain_spread`. A release before that lets them be.
 */
import type { BackendEntry, PoolEntry } from './inventory.js';

/** Only then has every worker the plan that holds the pool: no session begins after that. */
const SETTLE_MS = 1_000;

export class HeldPools {
  readonly #close: (backend: BackendEntry, spanMs: number) => void;
  /** When the sessions of each are to end; Infinity: they have got the order to. */
  readonly #dueMs = new Map<PoolEntry, number>();

  /** `close` ends what is left at a backend, spread over a span. */
  constructor(close: (backend: BackendEntry, spanMs: number) => void) {
    this.#close = close;
  }

  /** True when no sessions are to end. */
  get idle(): boolean {
    return [...this.#dueMs.values()].every((dueMs) => dueMs === Number.POSITIVE_INFINITY);
  }

  /** To be called after each change of what is desired. */
  follow(pools: Iterable<PoolEntry>, nowMs: number): void {
    const draining = new Set([...pools].filter(drainsWhileHeld));
    for (const pool of [...this.#dueMs.keys()]) if (!draining.has(pool)) this.#dueMs.delete(pool);
    for (const pool of draining) {
      if (this.#dueMs.has(pool)) continue;
      this.#dueMs.set(pool, nowMs + Math.max(pool.spec.drainTimeoutMs, SETTLE_MS));
    }
  }

  look(nowMs: number): void {
    for (const [pool, dueMs] of this.#dueMs) {
      if (nowMs < dueMs) continue;
      this.#dueMs.set(pool, Number.POSITIVE_INFINITY);
      for (const entry of pool.backends.values()) this.#close(entry, pool.spec.drainSpreadMs);
    }
  }
}

function drainsWhileHeld({ spec, tenure }: PoolEntry): boolean {
  return tenure === 'kept' && spec.settings.heldAtMost > 0 && spec.whileHeld === 'drain';
}
