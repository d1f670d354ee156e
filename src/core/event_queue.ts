/**
 * What happens next: a binary heap by time; of events at one instant the first one put in goes
 * first.
 */

interface Entry<E> {
  readonly atMs: number;
  readonly order: number;
  readonly event: E;
}

export class EventQueue<E> {
  readonly #heap: Entry<E>[] = [];
  #order = 0;

  /** The time of the next event; Infinity when there is none. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  put(atMs: number, event: E): void {
    const heap = this.#heap;
    const entry: Entry<E> = { atMs, order: this.#order++, event };
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** Takes the next event out; undefined when there is none. */
  take(): E | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first !== undefined && last !== undefined && heap.length > 0) this.#sink(last);
    return first?.event;
  }

  #sink(entry: Entry<E>): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (isBefore(entry, child)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = entry;
  }
}

function isBefore<E>(a: Entry<E>, b: Entry<E>): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
