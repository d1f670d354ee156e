/**
 * A heap of numbered items whose place in the order changes: the first one is known at once, and
 * what has changed finds its new place in O(log size). The order itself is the caller's.
 */

const ABSENT = -1;

export class IndexedHeap {
  readonly #isBefore: (a: number, b: number) => boolean;
  readonly #items: Int32Array;
  /** By item. */
  readonly #positions: Int32Array;
  #size = 0;
  /** Scratch of `firstFew`: positions whose parents were taken. */
  readonly #open: number[] = [];

  /** Items are 0 to `items` - 1. `isBefore` is a strict order. */
  constructor(items: number, isBefore: (a: number, b: number) => boolean) {
    this.#isBefore = isBefore;
    this.#items = new Int32Array(items);
    this.#positions = new Int32Array(items).fill(ABSENT);
  }

  get size(): number {
    return this.#size;
  }

  /** The first in order; -1 of none. */
  get first(): number {
    return this.#size === 0 ? ABSENT : (this.#items[0] ?? ABSENT);
  }

  /**
   * Writes the first `into.length` items into it, in order, or all where there are fewer; answers
   * how many. Looks at the few places only that one of them may have.
   */
  firstFew(into: Int32Array): number {
    const found = Math.min(into.length, this.#size);
    const open = this.#open;
    let waiting = 0;
    if (found > 0) open[waiting++] = 0;
    for (let rank = 0; rank < found; rank++) {
      let best = 0;
      for (let at = 1; at < waiting; at++) {
        if (this.#isBefore(this.#at(open[at] ?? 0), this.#at(open[best] ?? 0))) best = at;
      }
      const position = open[best] ?? 0;
      into[rank] = this.#at(position);
      open[best] = open[--waiting] ?? 0;
      for (let child = 2 * position + 1; child <= 2 * position + 2; child++) {
        if (child < this.#size) open[waiting++] = child;
      }
    }
    return found;
  }

  has(item: number): boolean {
    return (this.#positions[item] ?? ABSENT) !== ABSENT;
  }

  add(item: number): void {
    this.addUnordered(item);
    this.#rise(this.#size - 1);
  }

  /** For many at once: nothing is in order before `order`. */
  addUnordered(item: number): void {
    this.#put(item, this.#size++);
  }

  /** Brings all in order, in O(size). */
  order(): void {
    for (let position = (this.#size >>> 1) - 1; position >= 0; position--) this.#sink(position);
  }

  remove(item: number): void {
    const position = this.#positions[item] ?? ABSENT;
    if (position === ABSENT) return;
    this.#positions[item] = ABSENT;
    const last = this.#at(--this.#size);
    if (last === item) return;
    this.#put(last, position);
    this.moved(last);
  }

  /** The place of `item` in the order has changed. */
  moved(item: number): void {
    const position = this.#positions[item] ?? ABSENT;
    if (position !== ABSENT && this.#rise(position) === position) this.#sink(position);
  }

  /** Answers where the item at `start` stands now. */
  #rise(start: number): number {
    const item = this.#at(start);
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >>> 1;
      const above = this.#at(parent);
      if (!this.#isBefore(item, above)) break;
      this.#put(above, position);
      position = parent;
    }
    if (position !== start) this.#put(item, position);
    return position;
  }

  #sink(start: number): void {
    const item = this.#at(start);
    let position = start;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#isBefore(this.#at(child + 1), this.#at(child))) child++;
      const below = this.#at(child);
      if (!this.#isBefore(below, item)) break;
      this.#put(below, position);
      position = child;
    }
    if (position !== start) this.#put(item, position);
  }

  #at(position: number): number {
    return this.#items[position] ?? ABSENT;
  }

  #put(item: number, position: number): void {
    this.#items[position] = item;
    this.#positions[item] = position;
  }
}
