/**
 * Pools that an operator holds with `--drain`: their sessions end at once, over `drain_spread`.
 * They do not run on for `drain_timeout`, as those of a drained backend do: a hold is short, and
 * they are to be gone before its end. A release spares those that have not ended.
 */
import type { DrainOrders } from './drains.js';
import type { PoolEntry } from './inventory.js';

/** Only then has every worker the plan that holds the pool: no session begins after that. */
export const ALL_HOLD_MS = 1_000;

export class HeldPools {
  readonly #orders: Pick<DrainOrders, 'close' | 'spare'>;
  /** When the sessions of each are to end; Infinity: they have got the order to. */
  readonly #dueMs = new Map<PoolEntry, number>();

  constructor(orders: Pick<DrainOrders, 'close' | 'spare'>) {
    this.#orders = orders;
  }

  /** True when no sessions are to end. */
  get idle(): boolean {
    return [...this.#dueMs.values()].every((dueMs) => dueMs === Number.POSITIVE_INFINITY);
  }

  /** True when the sessions of `pool` have got the order to end. */
  closes(pool: PoolEntry): boolean {
    return this.#dueMs.get(pool) === Number.POSITIVE_INFINITY;
  }

  /** To be called after each change of what is desired. */
  follow(pools: Iterable<PoolEntry>, nowMs: number): void {
    const draining = new Set([...pools].filter(drainsWhileHeld));
    for (const pool of [...this.#dueMs.keys()]) if (!draining.has(pool)) this.#release(pool);
    for (const pool of draining) {
      if (this.#dueMs.has(pool)) continue;
      this.#dueMs.set(pool, nowMs + ALL_HOLD_MS);
    }
  }

  look(nowMs: number): void {
    for (const [pool, dueMs] of this.#dueMs) {
      if (nowMs < dueMs) continue;
      this.#dueMs.set(pool, Number.POSITIVE_INFINITY);
      for (const entry of pool.backends.values())
        this.#orders.close(entry, pool.spec.drainSpreadMs);
    }
  }

  #release(pool: PoolEntry): void {
    const stage = this.closes(pool) ? 'closing' : 'running-on';
    this.#dueMs.delete(pool);
    for (const entry of pool.backends.values()) this.#orders.spare(entry, stage);
  }
}

function drainsWhileHeld({ spec, tenure }: PoolEntry): boolean {
  return tenure === 'kept' && spec.settings.heldAtMost > 0 && spec.whileHeld === 'drain';
}
