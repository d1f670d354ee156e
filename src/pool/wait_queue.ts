/**
 * One worker's part of a pool's queue. Order is first come, first served over all workers: each
 * waiter holds a ticket of the pool, each worker publishes the ticket at its head, and only the
 * worker with the oldest one may take a free place. The size is exact over workers.
 */
import { assertShared } from '../core/assert.js';
import type { PoolId, WorkerId } from '../core/brand.js';
import type { Ledger } from './ledger.js';

/** Waiters by ticket, oldest first: a Map iterates in the order of insertion. */
export class WaitQueue<Waiter> {
  readonly #ledger: Ledger;
  readonly #pool: PoolId;
  readonly #worker: WorkerId;
  readonly #workers: number;
  readonly #waiters = new Map<number, Waiter>();

  constructor(ledger: Ledger, pool: PoolId, worker: WorkerId, workers: number) {
    this.#ledger = ledger;
    this.#pool = pool;
    this.#worker = worker;
    this.#workers = workers;
  }

  get length(): number {
    return this.#waiters.size;
  }

  /** This worker's waiters, oldest first. */
  get waiters(): readonly Waiter[] {
    return [...this.#waiters.values()];
  }

  /** True while anybody waits at any worker: who comes now must not overtake. */
  get busy(): boolean {
    return this.#ledger.queued(this.#pool) > 0;
  }

  /** A ticket, or 0 when `size` wait already. */
  join(waiter: Waiter, size: number): number {
    const ticket = this.#ledger.tryEnqueue(this.#pool, size, this.#worker);
    if (ticket === 0) return 0;
    this.#waiters.set(ticket, waiter);
    if (this.#waiters.size === 1) this.#publish();
    return ticket;
  }

  /** Leaves the queue: served, timed out or gone. */
  leave(ticket: number): void {
    assertShared(this.#waiters.delete(ticket), 'a waiter leaves a queue that it is not in');
    this.#ledger.dequeue(this.#pool, this.#worker);
    this.#publish();
  }

  /** Whose turn it is: this worker's oldest waiter, another worker, or nobody. */
  turn():
    | { readonly kind: 'mine'; readonly waiter: Waiter }
    | { readonly kind: 'other'; readonly worker: WorkerId }
    | { readonly kind: 'nobody' } {
    const owner = this.#ledger.longestWaiting(this.#pool, this.#workers);
    if (owner === -1) return { kind: 'nobody' };
    if (owner !== this.#worker) return { kind: 'other', worker: owner };
    const first = this.#waiters.values().next();
    assertShared(first.done !== true, 'a worker published a head but has no waiter');
    return { kind: 'mine', waiter: first.value };
  }

  #publish(): void {
    const first = this.#waiters.keys().next();
    this.#ledger.setHead(this.#pool, this.#worker, first.done === true ? 0 : first.value);
  }
}
