/** The first few of a stream of items, in order: a heap whose top is the last one that stays. */

export class FirstFew<T> {
  readonly #limit: number;
  readonly #isBefore: (a: T, b: T) => boolean;
  readonly #heap: T[] = [];

  /** `isBefore` is a strict order. */
  constructor(limit: number, isBefore: (a: T, b: T) => boolean) {
    this.#limit = limit;
    this.#isBefore = isBefore;
  }

  add(item: T): void {
    const heap = this.#heap;
    if (heap.length < this.#limit) {
      heap.push(item);
      this.#rise(heap.length - 1);
      return;
    }
    const last = heap[0];
    if (last === undefined || !this.#isBefore(item, last)) return;
    heap[0] = item;
    this.#sink();
  }

  /** Those that stayed so far, in no order. */
  get kept(): readonly T[] {
    return this.#heap;
  }

  /** Takes out the last one in order of those that stayed; undefined: none is left. */
  takeLast(): T | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const end = heap.pop();
    if (end !== undefined && heap.length > 0) {
      heap[0] = end;
      this.#sink();
    }
    return top;
  }

  #rise(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(parent, at)) return;
      at = parent;
    }
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const child = right < this.#heap.length && this.#precedes(left, right) ? right : left;
      if (!this.#swapIfBefore(at, child)) return;
      at = child;
    }
  }

  /** What comes later in order stands above. */
  #swapIfBefore(above: number, below: number): boolean {
    const heap = this.#heap;
    const [a, b] = [heap[above], heap[below]];
    if (a === undefined || b === undefined || !this.#isBefore(a, b)) return false;
    heap[above] = b;
    heap[below] = a;
    return true;
  }

  #precedes(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    return left !== undefined && right !== undefined && this.#isBefore(left, right);
  }
}
