/**
 * Backends that get no new sessions, because they left the file or an operator drains them, and
 * still carry some: those may run on for `drain_timeout`, then what is left is closed over
 * `drain_spread`. When nothing counts on the row any more, the drain is over.
 */
import type { BackendId } from '../core/brand.js';
import type { Ledger } from '../pool/ledger.js';
import type { BackendEntry } from './inventory.js';

/**
 * A worker that looked at a backend just before it was marked may still reserve it. After this time
 * none can: the look and the reservation are neighbours in one turn.
 */
const SETTLE_MS = 1_000;

export type DrainCause = 'removed' | 'drained' | 'maintenance';

type Stage =
  | { readonly kind: 'running-on'; readonly leftMs: number; readonly untilMs: number }
  | { readonly kind: 'closing'; readonly leftMs: number };

interface Drain {
  readonly entry: BackendEntry;
  cause: DrainCause;
  stage: Stage;
}

export interface DrainOrders {
  /** Ends what is left at `backend`, spread over `spanMs`. */
  close(backend: BackendEntry, spanMs: number): void;
  /** What is left at `backend` may stay; `stage`: how far its drain was. */
  spare(backend: BackendEntry, stage: Stage['kind']): void;
  /** Nothing is left. */
  empty(backend: BackendEntry, cause: DrainCause): void;
}

export class Drains {
  readonly #ledger: Ledger;
  readonly #orders: DrainOrders;
  readonly #drains = new Map<BackendId, Drain>();

  constructor(ledger: Ledger, orders: DrainOrders) {
    this.#ledger = ledger;
    this.#orders = orders;
  }

  /** True when no backend drains. */
  get idle(): boolean {
    return this.#drains.size === 0;
  }

  has(entry: BackendEntry): boolean {
    return this.#drains.get(entry.id)?.entry === entry;
  }

  /** A backend that leaves the file while an operator drains it may have its time again. */
  begin(entry: BackendEntry, cause: DrainCause, nowMs: number): void {
    this.#ledger.setClosed(entry.id, cause);
    if (cause === 'drained') this.#ledger.clearClosed(entry.id, 'maintenance');
    if (cause === 'maintenance') this.#ledger.clearClosed(entry.id, 'drained');
    const known = this.#drains.get(entry.id);
    if (known !== undefined && cause !== 'removed') {
      known.cause = cause;
      return;
    }
    const untilMs = nowMs + entry.pool.spec.drainTimeoutMs;
    const stage: Stage = { kind: 'running-on', leftMs: nowMs, untilMs };
    this.#drains.set(entry.id, { entry, cause, stage });
  }

  /** It is gone, and its row perhaps another's already: nothing is written there. */
  forget(entry: BackendEntry): void {
    if (this.has(entry)) this.#drains.delete(entry.id);
  }

  /** True when its sessions have got the order to end. */
  closes(entry: BackendEntry): boolean {
    const drain = this.#drains.get(entry.id);
    return drain?.entry === entry && drain.stage.kind === 'closing';
  }

  /** The backend may serve again, and those of its sessions that have not ended stay. */
  cancel(entry: BackendEntry): void {
    const stage = this.closes(entry) ? 'closing' : 'running-on';
    this.#drains.delete(entry.id);
    this.#orders.spare(entry, stage);
    for (const reason of ['removed', 'drained', 'maintenance', 'expired'] as const) {
      this.#ledger.clearClosed(entry.id, reason);
    }
  }

  /** Looks at every drain; to be called regularly. */
  look(nowMs: number): void {
    for (const drain of [...this.#drains.values()]) {
      const { entry, stage } = drain;
      if (this.#ledger.active(entry.id) === 0 && nowMs - stage.leftMs >= SETTLE_MS) {
        this.#drains.delete(entry.id);
        this.#orders.empty(entry, drain.cause);
      } else if (stage.kind === 'running-on' && nowMs >= stage.untilMs) {
        drain.stage = { kind: 'closing', leftMs: stage.leftMs };
        this.#ledger.setClosed(entry.id, 'expired');
        this.#orders.close(entry, entry.pool.spec.drainSpreadMs);
      }
    }
  }
}
