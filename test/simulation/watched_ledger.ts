/**
 * The real ledger of one worker, with a look over its shoulder at each reservation: that is the
 * instant at which a cap, a drain or the order of the queue would be broken.
 */
import type { BackendId, ListenerId, PoolId, WorkerId } from '../../src/core/brand.js';
import { CLOSED_BECAUSE, Ledger } from '../../src/pool/ledger.js';
import { holds } from './failure.js';

/** What was true when a place was taken. */
export interface Taking {
  readonly backend: BackendId;
  readonly pool: PoolId;
  /** Waiters of the pool, and whose turn it was. */
  readonly queued: number;
  readonly turn: WorkerId | -1;
  /** This worker's oldest ticket before; 0: none. */
  readonly head: number;
  /** Whether who took the place has left the queue since. */
  left: 'no' | 'yes';
}

export class WatchedLedger extends Ledger {
  readonly #workers: number;
  readonly #poolOf: (backend: BackendId) => PoolId;
  readonly #heads = new Map<PoolId, number>();
  #taking: Taking | null = null;

  constructor(memory: SharedArrayBuffer, workers: number, poolOf: (backend: BackendId) => PoolId) {
    super(memory);
    this.#workers = workers;
    this.#poolOf = poolOf;
  }

  /** The reservation since the last call, if there was one. */
  takeTaking(): Taking | null {
    const taking = this.#taking;
    this.#taking = null;
    return taking;
  }

  head(pool: PoolId): number {
    return this.#heads.get(pool) ?? 0;
  }

  override tryTake(backend: BackendId, worker: WorkerId): boolean {
    const pool = this.#poolOf(backend);
    const queued = this.queued(pool);
    const turn = this.longestWaiting(pool, this.#workers);
    if (!super.tryTake(backend, worker)) return false;
    const cap = this.cap(backend);
    const active = this.active(backend);
    holds(cap === 0 || active <= cap, () => `backend ${backend}: ${active} of ${cap} places taken`);
    const gone = this.closed(backend) & (CLOSED_BECAUSE.removed | CLOSED_BECAUSE.expired);
    holds(gone === 0, () => `backend ${backend} was chosen although it left`);
    holds(this.weight(backend) > 0, () => `backend ${backend} was chosen without weight`);
    holds(this.health(backend) !== 'unproven', () => `backend ${backend} was chosen unproven`);
    this.#taking = { backend, pool, queued, turn, head: this.head(pool), left: 'no' };
    return true;
  }

  override giveBack(backend: BackendId, worker: WorkerId): void {
    super.giveBack(backend, worker);
    this.#taking = null;
  }

  override dequeue(pool: PoolId, worker: WorkerId): void {
    super.dequeue(pool, worker);
    if (this.#taking !== null) this.#taking.left = 'yes';
  }

  override setHead(pool: PoolId, worker: WorkerId, ticket: number): void {
    super.setHead(pool, worker, ticket);
    this.#heads.set(pool, ticket);
  }

  override tryTakeListener(listener: ListenerId, cap: number, worker: WorkerId): boolean {
    if (!super.tryTakeListener(listener, cap, worker)) return false;
    const active = this.listenerActive(listener);
    holds(active <= cap, () => `listener ${listener}: ${active} of ${cap} places taken`);
    return true;
  }
}
