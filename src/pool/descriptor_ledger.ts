/**
 * The descriptors that sessions and flows of all listeners and workers may have together, in shared
 * memory. Exact: the count moves by compare-and-swap and is at no instant above what is allowed.
 */
import { assertShared } from '../core/assert.js';
import type { WorkerId } from '../core/brand.js';
import { MAX_WORKERS } from '../core/limits.js';

/** A TCP session has its client's socket and its backend's. */
export const DESCRIPTORS_PER_SESSION = 2;
/** A flow has a socket to its backend; its clients share the listener's. */
export const DESCRIPTORS_PER_FLOW = 1;

const USED = 0;
const ALLOWED = 1;
/** A bit a worker: it has listeners that stopped accepting for want of descriptors. */
const WAITING = 2;
/** By worker: its share, so that a lost worker's can be given back. One cache line further. */
const SHARES_AT = 16;
export const DESCRIPTOR_CELLS = SHARES_AT + MAX_WORKERS;

export class DescriptorLedger {
  readonly #cells: Int32Array;

  constructor(cells: Int32Array) {
    this.#cells = cells;
  }

  get used(): number {
    return Atomics.load(this.#cells, USED);
  }

  /** 0 = as many as one likes. */
  get allowed(): number {
    return Atomics.load(this.#cells, ALLOWED);
  }

  /** Below 0 while more are in use than are allowed by now. */
  get free(): number {
    const { allowed } = this;
    return allowed === 0 ? Number.POSITIVE_INFINITY : allowed - this.used;
  }

  /**
   * Only control. A worker that has more keeps it; none gets more until enough has been given back.
   */
  allow(descriptors: number): void {
    Atomics.store(this.#cells, ALLOWED, descriptors);
  }

  /** All of `count` or none. */
  tryTake(count: number, worker: WorkerId): boolean {
    const { allowed } = this;
    let used = this.used;
    while (allowed === 0 || used + count <= allowed) {
      const seen = Atomics.compareExchange(this.#cells, USED, used, used + count);
      if (seen === used) {
        Atomics.add(this.#cells, SHARES_AT + worker, count);
        return true;
      }
      used = seen;
    }
    return false;
  }

  giveBack(count: number, worker: WorkerId): void {
    // Only this worker writes its share: nothing has moved yet when it says that this is wrong.
    const share = Atomics.load(this.#cells, SHARES_AT + worker);
    assertShared(share >= count, 'more descriptors are given back than were taken');
    Atomics.sub(this.#cells, USED, count);
    Atomics.sub(this.#cells, SHARES_AT + worker, count);
  }

  // ---- workers that wait ----

  setWaiting(worker: WorkerId, state: 'waiting' | 'accepting'): void {
    const bit = 1 << (worker & 31);
    if (state === 'waiting') Atomics.or(this.#cells, WAITING + (worker >>> 5), bit);
    else Atomics.and(this.#cells, WAITING + (worker >>> 5), ~bit);
  }

  isWaiting(worker: WorkerId): boolean {
    return (Atomics.load(this.#cells, WAITING + (worker >>> 5)) & (1 << (worker & 31))) !== 0;
  }

  get anyWaiting(): boolean {
    return Atomics.load(this.#cells, WAITING) !== 0 || Atomics.load(this.#cells, WAITING + 1) !== 0;
  }

  /** Gives back what a lost worker had. Only when that thread runs no more. */
  forgetWorker(worker: WorkerId): void {
    const count = Atomics.exchange(this.#cells, SHARES_AT + worker, 0);
    Atomics.sub(this.#cells, USED, count);
    this.setWaiting(worker, 'accepting');
  }
}
