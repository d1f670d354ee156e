/**
 * One worker's part of a pool's queue. Order is first come, first served over all workers: each
 * waiter holds a ticket of the pool, each worker publishes its oldest one, and only the worker with
 * the oldest of all may take a free place. The size is exact over workers.
 *
 * Waiters stand in lanes: those of one lane may use the same backends, as they have tried the same
 * ones in vain. So the first of a lane decides for its lane and for no other. A lane for which no
 * place is free while others could be served stands aside: its ticket is not published until the
 * places are looked at again, and no waiter is held up by it.
 */
import { assertShared } from '../core/assert.js';
import type { BackendId, PoolId, WorkerId } from '../core/brand.js';
import type { Ledger } from './ledger.js';

interface Lane {
  readonly key: string;
  /** Oldest first: a Set iterates in the order of insertion. */
  readonly tickets: Set<number>;
  /** Whether its oldest ticket is among those that are published. */
  state: 'in line' | 'aside';
}

interface Place<Waiter> {
  readonly waiter: Waiter;
  readonly lane: Lane;
}

export class WaitQueue<Waiter> {
  readonly #ledger: Ledger;
  readonly #pool: PoolId;
  readonly #worker: WorkerId;
  readonly #workers: number;
  /** By ticket, oldest first. */
  readonly #places = new Map<number, Place<Waiter>>();
  /** Lanes with a waiter; few, as each has another set of backends tried in vain. */
  readonly #lanes = new Map<string, Lane>();

  constructor(ledger: Ledger, pool: PoolId, worker: WorkerId, workers: number) {
    this.#ledger = ledger;
    this.#pool = pool;
    this.#worker = worker;
    this.#workers = workers;
  }

  get length(): number {
    return this.#places.size;
  }

  /** This worker's waiters, oldest first. */
  get waiters(): readonly Waiter[] {
    return [...this.#places.values()].map(({ waiter }) => waiter);
  }

  /** True while a waiter of any worker must not be overtaken by one that has tried `tried`. */
  isAhead(tried: readonly BackendId[] | null): boolean {
    if (this.#ledger.queued(this.#pool) === 0) return false;
    // One that stands aside may be of the same lane.
    return tried !== null || this.#ledger.longestWaiting(this.#pool, this.#workers) !== -1;
  }

  /** A ticket, or 0 when `size` wait already. */
  join(waiter: Waiter, size: number, tried: readonly BackendId[] | null): number {
    const ticket = this.#ledger.tryEnqueue(this.#pool, size, this.#worker);
    if (ticket === 0) return 0;
    const lane = this.#laneOf(tried);
    lane.tickets.add(ticket);
    this.#places.set(ticket, { waiter, lane });
    this.#publish();
    return ticket;
  }

  /** Leaves the queue: served, timed out or gone. */
  leave(ticket: number): void {
    const place = this.#places.get(ticket);
    assertShared(place !== undefined, 'a waiter leaves a queue that it is not in');
    this.#places.delete(ticket);
    place.lane.tickets.delete(ticket);
    if (place.lane.tickets.size === 0) this.#lanes.delete(place.lane.key);
    this.#ledger.dequeue(this.#pool, this.#worker);
    this.#publish();
  }

  /** No place is free for the waiter with `ticket` nor its lane, but others could be served. */
  stepAside(ticket: number): void {
    const place = this.#places.get(ticket);
    assertShared(place !== undefined, 'a waiter steps aside in a queue that it is not in');
    place.lane.state = 'aside';
    this.#publish();
  }

  /** All lanes stand in line again, each at its age. */
  lineUp(): void {
    if (this.#places.size === 0) return;
    for (const lane of this.#lanes.values()) lane.state = 'in line';
    this.#publish();
  }

  /** Whose turn it is: this worker's oldest waiter, another worker, or none. */
  turn():
    | { readonly kind: 'mine'; readonly waiter: Waiter }
    | { readonly kind: 'other'; readonly worker: WorkerId }
    | { readonly kind: 'none' } {
    const owner = this.#ledger.longestWaiting(this.#pool, this.#workers);
    if (owner === -1) return { kind: 'none' };
    if (owner !== this.#worker) return { kind: 'other', worker: owner };
    const first = this.#places.get(this.#oldest());
    assertShared(first !== undefined, 'a worker published a head but has no waiter');
    return { kind: 'mine', waiter: first.waiter };
  }

  /** Calls `wake` with each other worker in which a lane stands aside. */
  wakeAside(wake: (worker: WorkerId) => void): void {
    if (!this.#ledger.anyAside(this.#pool)) return;
    for (let at = 0; at < this.#workers; at++) {
      const worker = at as WorkerId;
      if (worker !== this.#worker && this.#ledger.isAside(this.#pool, worker)) wake(worker);
    }
  }

  #laneOf(tried: readonly BackendId[] | null): Lane {
    const key = tried === null ? '' : [...tried].sort((a, b) => a - b).join();
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const lane: Lane = { key, tickets: new Set(), state: 'in line' };
    this.#lanes.set(key, lane);
    return lane;
  }

  /** The oldest ticket of the lanes in line; 0 = there is none. */
  #oldest(): number {
    let oldest = 0;
    for (const { state, tickets } of this.#lanes.values()) {
      if (state === 'aside') continue;
      const [ticket = 0] = tickets;
      // Tickets wrap: they compare by difference.
      if (oldest === 0 || ((ticket - oldest) | 0) < 0) oldest = ticket;
    }
    return oldest;
  }

  #publish(): void {
    this.#ledger.setHead(this.#pool, this.#worker, this.#oldest());
    let aside: 'some' | 'none' = 'none';
    for (const { state } of this.#lanes.values()) if (state === 'aside') aside = 'some';
    this.#ledger.setAside(this.#pool, this.#worker, aside);
  }
}
