/** Counts in shared memory, each with the share that every worker has of it. */
import { assertShared } from '../core/assert.js';
import type { WorkerId } from '../core/brand.js';
import { SHARE_ROW, SHARES_AT } from './ledger_layout.js';

export abstract class CountedCells {
  protected readonly cells: Int32Array;

  constructor(cells: Int32Array) {
    this.cells = cells;
  }

  /**
   * The count of before, or -1 when one more would pass `cap`. It moves by compare-and-swap, never
   * by add and take back: it is at no instant above the cap.
   */
  protected raise(cell: number, cap: number): number {
    let now = Atomics.load(this.cells, cell);
    while (now < cap) {
      const seen = Atomics.compareExchange(this.cells, cell, now, now + 1);
      if (seen === now) return now;
      now = seen;
    }
    return -1;
  }

  /**
   * Gives back one of what `worker` has, and answers the count of before. No other thread writes
   * its share while it runs, so it is looked at first: a count that others rely on has not moved
   * when this is wrong. And so a plain store is enough: one word is never half written.
   */
  protected lower(cell: number, worker: WorkerId, at: number): number {
    const share = SHARES_AT + worker * SHARE_ROW + at;
    const has = this.cells[share] ?? 0;
    assertShared(has > 0, "a worker's share in the ledger would fall below zero");
    const before = Atomics.sub(this.cells, cell, 1);
    this.cells[share] = has - 1;
    return before;
  }

  protected share(worker: WorkerId, at: number): void {
    const share = SHARES_AT + worker * SHARE_ROW + at;
    this.cells[share] = (this.cells[share] ?? 0) + 1;
  }
}
