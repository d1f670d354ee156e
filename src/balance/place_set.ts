/**
 * A set of places 0 to n - 1 that finds the next one from any place on: bits, and above each 32
 * words of bits one that says which of them have any. 16,384 places are three levels.
 */

const BITS = 5;
const WORD = 2 ** BITS;
const LOW = WORD - 1;

export class PlaceSet {
  /** The places themselves first, the topmost, a single word, last. */
  readonly #levels: readonly Int32Array[];
  #size = 0;

  constructor(places: number) {
    const levels: Int32Array[] = [];
    let words = places;
    do {
      words = Math.max(1, Math.ceil(words / WORD));
      levels.push(new Int32Array(words));
    } while (words > 1);
    this.#levels = levels;
  }

  get size(): number {
    return this.#size;
  }

  /** Of a place that is not in it. */
  add(place: number): void {
    this.#size++;
    let at = place;
    for (const level of this.#levels) {
      const word = level[at >>> BITS] ?? 0;
      level[at >>> BITS] = word | (1 << (at & LOW));
      at >>>= BITS;
    }
  }

  /** Of a place that is in it. */
  remove(place: number): void {
    this.#size--;
    let at = place;
    for (const level of this.#levels) {
      const word = (level[at >>> BITS] ?? 0) & ~(1 << (at & LOW));
      level[at >>> BITS] = word;
      if (word !== 0) return;
      at >>>= BITS;
    }
  }

  /** The first place at `from` or after it; -1 when there is none. */
  next(from: number): number {
    const levels = this.#levels;
    let at = from;
    for (let height = 0; height < levels.length; height++) {
      // Bits at `at` and above; at a higher level `at` is the next word to look into.
      const word = (levels[height]?.[at >>> BITS] ?? 0) & (-1 << (at & LOW));
      if (word !== 0) return this.#down((at & ~LOW) | lowestBit(word), height);
      at = (at >>> BITS) + 1;
    }
    return -1;
  }

  #down(found: number, height: number): number {
    let at = found;
    for (let level = height - 1; level >= 0; level--) {
      at = (at << BITS) | lowestBit(this.#levels[level]?.[at] ?? 0);
    }
    return at;
  }
}

function lowestBit(word: number): number {
  return LOW - Math.clz32(word & -word);
}
