/**
 * The real ledger of one worker, with a look over its shoulder at each reservation: that is the
 * instant at which a cap, a drain or the order of the queue would be broken.
 */
import type { BackendId, ListenerId, PoolId, WorkerId } from '../../src/core/brand.js';
import { CLOSED_BECAUSE } from '../../src/pool/backend_rows.js';
import { Ledger } from '../../src/pool/ledger.js';
import { holds } from './failure.js';

/** What was true when a place was taken. */
export interface Taking {
  readonly backend: BackendId;
  readonly pool: PoolId;
  /** Waiters of the pool, and whose turn it was. */
  readonly queued: number;
  readonly turn: WorkerId | null;
  /** Whether a waiter has left the queue since, and whether that was the worker's oldest. */
  left: 'no' | 'yes';
  head: 'stays' | 'moved';
}

/** By pool and worker: the oldest ticket, as each worker has published it last. */
export type Heads = Map<PoolId, Map<WorkerId, number>>;

export class WatchedLedger extends Ledger {
  readonly #poolOf: (backend: BackendId) => PoolId;
  readonly #heads: Heads;
  #taking: Taking | null = null;

  constructor(
    memory: SharedArrayBuffer,
    worker: WorkerId,
    heads: Heads,
    poolOf: (backend: BackendId) => PoolId,
  ) {
    super(memory);
    this.#heads = heads;
    this.#poolOf = poolOf;
    // A worker that is new waits for nothing, whatever its forerunner did.
    for (const ofPool of heads.values()) ofPool.delete(worker);
  }

  /** The reservation since the last call, if there was one. */
  takeTaking(): Taking | null {
    const taking = this.#taking;
    this.#taking = null;
    return taking;
  }

  /** Whose waiter has waited longest. Tickets of a simulation never wrap. */
  #turnOf(pool: PoolId): WorkerId | null {
    const heads = [...(this.#heads.get(pool) ?? [])].filter(([, ticket]) => ticket !== 0);
    return heads.sort(([, a], [, b]) => a - b)[0]?.[0] ?? null;
  }

  override tryTake(backend: BackendId, worker: WorkerId): boolean {
    const pool = this.#poolOf(backend);
    const queued = this.queued(pool);
    const turn = this.#turnOf(pool);
    if (!super.tryTake(backend, worker)) return false;
    const cap = this.cap(backend);
    const active = this.active(backend);
    holds(cap === 0 || active <= cap, () => `backend ${backend}: ${active} of ${cap} places taken`);
    const gone = this.closed(backend) & (CLOSED_BECAUSE.removed | CLOSED_BECAUSE.expired);
    holds(gone === 0, () => `backend ${backend} was chosen although it left`);
    holds(this.weight(backend) > 0, () => `backend ${backend} was chosen without weight`);
    holds(this.health(backend) !== 'unproven', () => `backend ${backend} was chosen unproven`);
    this.#taking = { backend, pool, queued, turn, left: 'no', head: 'stays' };
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
    const heads = this.#heads.get(pool) ?? new Map<WorkerId, number>();
    if (this.#taking !== null && heads.get(worker) !== ticket) this.#taking.head = 'moved';
    heads.set(worker, ticket);
    this.#heads.set(pool, heads);
  }

  override tryTakeListener(listener: ListenerId, cap: number, worker: WorkerId): boolean {
    if (!super.tryTakeListener(listener, cap, worker)) return false;
    const active = this.listenerActive(listener);
    holds(active <= cap, () => `listener ${listener}: ${active} of ${cap} places taken`);
    return true;
  }
}
