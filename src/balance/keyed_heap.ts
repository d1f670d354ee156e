/**
 * A heap of numbered items, each with two keys: the least first one is at the top, and among equals
 * the least second one. Keys stand in the order of the heap, and each place has four below it: a
 * step downwards looks at 64 bytes side by side, where keys by item would be eight lines of memory,
 * which of thousands are in no cache. (A. LaMarca, R. Ladner, "The Influence of Caches on the
 * Performance of Heaps", ACM JEA 1, 1996.)
 */

const ABSENT = -1;
const ARITY = 4;

export class KeyedHeap {
  /** By place, side by side. */
  readonly #keys: Float64Array;
  readonly #items: Int32Array;
  /** By item: its place. */
  readonly #places: Int32Array;
  #size = 0;

  /** Items are 0 to `items` - 1. */
  constructor(items: number) {
    this.#keys = new Float64Array(2 * items);
    this.#items = new Int32Array(items);
    this.#places = new Int32Array(items).fill(ABSENT);
  }

  get size(): number {
    return this.#size;
  }

  /** The first in order; -1 of none. */
  get first(): number {
    return this.#size === 0 ? ABSENT : (this.#items[0] ?? ABSENT);
  }

  has(item: number): boolean {
    return this.#placeOf(item) !== ABSENT;
  }

  /** Of an item that is in it. */
  firstKeyOf(item: number): number {
    return this.#keys[2 * this.#placeOf(item)] ?? Number.NaN;
  }

  /** `item` has these keys, and its place by them; it comes in if it was not there. */
  put(item: number, first: number, second: number): void {
    const known = this.#placeOf(item);
    const from = known === ABSENT ? this.#size++ : known;
    const place = this.#rise(from, first, second);
    if (place !== from || known === ABSENT) this.#set(place, item, first, second);
    else this.#sink(place, item, first, second);
  }

  /** The first key of `item`, which is in it, has changed. */
  putFirst(item: number, first: number): void {
    this.put(item, first, this.#keys[2 * this.#placeOf(item) + 1] ?? Number.NaN);
  }

  /** The second one has. */
  putSecond(item: number, second: number): void {
    this.put(item, this.firstKeyOf(item), second);
  }

  /** For many at once: nothing is in order before `order`. */
  putUnordered(item: number, first: number, second: number): void {
    const known = this.#placeOf(item);
    this.#set(known === ABSENT ? this.#size++ : known, item, first, second);
  }

  /** Brings all in order, in O(size). */
  order(): void {
    for (let place = Math.floor((this.#size - 2) / ARITY); place >= 0; place--) {
      const [first, second] = [this.#keys[2 * place] ?? 0, this.#keys[2 * place + 1] ?? 0];
      this.#sink(place, this.#items[place] ?? ABSENT, first, second);
    }
  }

  remove(item: number): void {
    const place = this.#placeOf(item);
    if (place === ABSENT) return;
    this.#places[item] = ABSENT;
    const end = --this.#size;
    const last = this.#items[end] ?? ABSENT;
    if (last === item) return;
    // The last one stands in its place, and from there finds its own.
    this.#places[last] = place;
    this.put(last, this.#keys[2 * end] ?? 0, this.#keys[2 * end + 1] ?? 0);
  }

  #placeOf(item: number): number {
    return this.#places[item] ?? ABSENT;
  }

  /** Makes room above `start` for these keys; answers where. */
  #rise(start: number, first: number, second: number): number {
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >>> 2;
      if (!this.#isBelow(parent, first, second)) break;
      this.#move(parent, place);
      place = parent;
    }
    return place;
  }

  /** Puts `item`, which has these keys, to `start` or to where it belongs below. */
  #sink(start: number, item: number, first: number, second: number): void {
    const keys = this.#keys;
    let place = start;
    for (;;) {
      let best = ARITY * place + 1;
      if (best >= this.#size) break;
      const end = Math.min(best + ARITY, this.#size);
      for (let child = best + 1; child < end; child++) {
        if (this.#isBelow(best, keys[2 * child] ?? 0, keys[2 * child + 1] ?? 0)) best = child;
      }
      if (this.#isBelow(best, first, second)) break;
      this.#move(best, place);
      place = best;
    }
    this.#set(place, item, first, second);
  }

  /** Whether these keys come before those at `place`. */
  #isBelow(place: number, first: number, second: number): boolean {
    const other = this.#keys[2 * place] ?? 0;
    return first < other || (first === other && second < (this.#keys[2 * place + 1] ?? 0));
  }

  #move(from: number, to: number): void {
    const keys = this.#keys;
    this.#set(to, this.#items[from] ?? ABSENT, keys[2 * from] ?? 0, keys[2 * from + 1] ?? 0);
  }

  #set(place: number, item: number, first: number, second: number): void {
    this.#keys[2 * place] = first;
    this.#keys[2 * place + 1] = second;
    this.#items[place] = item;
    this.#places[item] = place;
  }
}
