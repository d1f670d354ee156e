/**
 * Backends that left the file and still carry sessions: those may run on for `drain_timeout`, then
 * what is left is closed over `drain_spread`. When nobody counts on the row any more it is
 * released.
 */
import type { BackendId } from '../core/brand.js';
import type { Ledger } from '../pool/ledger.js';
import type { BackendEntry } from './inventory.js';

/**
 * A worker that looked at a backend just before it was marked as removed may still reserve it.
 * After this time none can: the look and the reservation are neighbours in one turn.
 */
const SETTLE_MS = 1_000;

type Stage =
  | { readonly kind: 'running-on'; readonly leftMs: number; readonly untilMs: number }
  | { readonly kind: 'closing'; readonly leftMs: number };

export interface DrainOrders {
  /** Ends what is left at `backend`, spread over `spanMs`. */
  close(backend: BackendEntry, spanMs: number): void;
  /** Nothing is left. */
  empty(backend: BackendEntry): void;
}

export class Drains {
  readonly #ledger: Ledger;
  readonly #orders: DrainOrders;
  readonly #stages = new Map<BackendId, { readonly entry: BackendEntry; stage: Stage }>();

  constructor(ledger: Ledger, orders: DrainOrders) {
    this.#ledger = ledger;
    this.#orders = orders;
  }

  /** True when nobody drains. */
  get idle(): boolean {
    return this.#stages.size === 0;
  }

  has(entry: BackendEntry): boolean {
    return this.#stages.get(entry.id)?.entry === entry;
  }

  begin(entry: BackendEntry, nowMs: number): void {
    this.#ledger.setClosed(entry.id, 'removed');
    const untilMs = nowMs + entry.pool.spec.drainTimeoutMs;
    const stage: Stage = { kind: 'running-on', leftMs: nowMs, untilMs };
    this.#stages.set(entry.id, { entry, stage });
  }

  /** It is gone, and its row perhaps another's already: nothing is written there. */
  forget(entry: BackendEntry): void {
    if (this.has(entry)) this.#stages.delete(entry.id);
  }

  /** The backend is in the file again. */
  cancel(entry: BackendEntry): void {
    this.#stages.delete(entry.id);
    this.#ledger.clearClosed(entry.id, 'removed');
    this.#ledger.clearClosed(entry.id, 'expired');
  }

  /** Looks at every drain; to be called every now and then. */
  look(nowMs: number): void {
    for (const drain of [...this.#stages.values()]) {
      const { entry, stage } = drain;
      if (this.#ledger.active(entry.id) === 0 && nowMs - stage.leftMs >= SETTLE_MS) {
        this.#stages.delete(entry.id);
        this.#orders.empty(entry);
      } else if (stage.kind === 'running-on' && nowMs >= stage.untilMs) {
        drain.stage = { kind: 'closing', leftMs: stage.leftMs };
        this.#ledger.setClosed(entry.id, 'expired');
        this.#orders.close(entry, entry.pool.spec.drainSpreadMs);
      }
    }
  }
}
