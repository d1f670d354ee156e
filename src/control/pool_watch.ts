/**
 * Watches pools and listeners as a whole, and tells when one cannot serve, or can again. It decides
 * nothing: workers look at the same ledger by themselves.
 */
import type { Ineligible } from '../core/outcome.js';
import type { Log } from '../observe/log.js';
import { ineligible } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import type { Inventory, ListenerEntry, PoolEntry } from './inventory.js';

type PoolState = 'starting' | 'up' | 'panic' | 'down';

export class PoolWatch {
  readonly #ledger: Ledger;
  readonly #inventory: Inventory;
  readonly #log: Log;
  readonly #pools = new Map<string, PoolState>();
  readonly #full = new Set<string>();

  constructor(ledger: Ledger, inventory: Inventory, log: Log) {
    this.#ledger = ledger;
    this.#inventory = inventory;
    this.#log = log;
  }

  /** Looks at everything; `sessionBudget` is what `max_sessions = 0` means. */
  look(sessionBudget: number): void {
    for (const pool of this.#inventory.pools.values()) {
      if (pool.tenure === 'kept') this.#lookAtPool(pool);
    }
    for (const listener of this.#inventory.listeners.values()) {
      this.#lookAtListener(listener, sessionBudget);
    }
  }

  #lookAtPool(pool: PoolEntry): void {
    const reasons = [...pool.backends.values()]
      .filter((entry) => entry.tenure === 'kept')
      .map((entry) => ineligible(this.#ledger, entry.id, null, 'health'));
    // A pool that is full serves: who comes waits or is told so.
    const eligible = reasons.filter((reason) => reason === null || reason === 'full').length;
    const counts = { pool: pool.key, eligible, backends: reasons.length };
    const before = this.#pools.get(pool.key) ?? 'starting';
    const now = stateOf(pool, reasons, eligible);
    if (now === before || now === 'starting') return;
    this.#pools.set(pool.key, now);
    if (now === 'down') {
      const detail = reasons.map((reason) => reason ?? 'eligible').join(', ');
      this.#log.event('pool-down', { pool: pool.key, cause: 'all-down', detail });
    } else if (now === 'panic') {
      this.#log.event('pool-panic', { ...counts, percent: pool.spec.panicPercent });
    } else if (before === 'panic') this.#log.event('pool-panic-over', counts);
    else if (before === 'down') this.#log.event('pool-recovered', counts);
  }

  #lookAtListener(listener: ListenerEntry, sessionBudget: number): void {
    const limit = listener.spec.maxSessions === 0 ? sessionBudget : listener.spec.maxSessions;
    const active = this.#ledger.listenerActive(listener.id);
    if (active < limit) {
      this.#full.delete(listener.key);
    } else if (!this.#full.has(listener.key)) {
      this.#full.add(listener.key);
      this.#log.event('listener-full', { listener: listener.spec.name, limit });
    }
  }
}

function stateOf(
  pool: PoolEntry,
  reasons: readonly (Ineligible | null)[],
  eligible: number,
): PoolState {
  if (eligible === 0 && reasons.includes('unproven')) return 'starting';
  if (eligible * 100 < pool.spec.panicPercent * reasons.length) return 'panic';
  return eligible > 0 ? 'up' : 'down';
}
