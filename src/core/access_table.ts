/**
 * Which clients may come: blocks of addresses, laid out as disjoint intervals in shared memory, so
 * that all workers look into one table by binary search. The most specific block decides; between
 * an allowed and a denied block that are the same, the denied one.
 *
 * An address is four words, big end first; IPv4 is its IPv4-mapped IPv6 address (RFC 4291,
 * 2.5.5.2), and a block of IPv6 that contains all of those stands for IPv6 only.
 */
import { assert } from './assert.js';
import { mapped, wordAt } from './ip_bytes.js';
import type { AccessSpec } from './spec.js';
import { ITEMS_PER_STRETCH, inStretches, type Stretches } from './stretches.js';

export type AccessWord = 'allow' | 'deny';

/** 4 or 16 bytes in network order, and how many bits of them count. */
export interface AccessBlock {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
  readonly word: AccessWord;
}

/** Plain data that workers get with a plan. */
export interface AccessTable {
  /** Another one with each table that is made: tables are compared by it alone. */
  readonly version: number;
  /** `intervals` starts of 16 bytes, then a verdict of one byte for each. */
  readonly memory: SharedArrayBuffer;
  readonly intervals: number;
  /** Addresses that are in no block. */
  readonly others: AccessSpec['others'];
  readonly dryRun: boolean;
}

export type AccessRefusal = 'denied' | 'not-allowed';

/** No block says anything. */
const SILENT = 0;
const ALLOW = 1;
const DENY = 2;
const WORDS = 4;
const BYTES = 4 * WORDS + 1;
/** One MiB. */
const COPIED_WORDS = 262_144;
const BITS = 128;
/** ::ffff:0:0/96 */
const MAPPED_BITS = 96;

/** Blocks as they are collected: words, prefix and verdict of each. */
export class AccessBlocks {
  #words = new Uint32Array(WORDS * 64);
  #prefix = new Uint8Array(64);
  #verdict = new Uint8Array(64);
  #count = 0;

  constructor() {
    // A list with "::/0" does not mean IPv4 as a part of IPv6.
    this.#push(mapped(new Uint8Array(4)), MAPPED_BITS, SILENT);
  }

  get count(): number {
    return this.#count - 1;
  }

  add({ bytes, prefixBits, word }: AccessBlock): void {
    const bits = prefixBits + (bytes.length === 4 ? MAPPED_BITS : 0);
    this.#push(mapped(bytes), bits, word === 'allow' ? ALLOW : DENY);
  }

  /** The block of IPv6 that decides of `address`; null: it is in none. Looks at all of them. */
  deciding(address: Uint8Array): Omit<AccessBlock, 'word'> | null {
    this.#push(mapped(address), BITS, SILENT);
    const asked = --this.#count;
    let best = -1;
    for (let at = 0; at < asked; at++) {
      const isWider = best !== -1 && (this.#prefix[at] ?? 0) < (this.#prefix[best] ?? 0);
      if (!isWider && this.#contains(at, asked)) best = at;
    }
    if (best === -1 || this.#said(best) === SILENT) return null;
    const bytes = new Uint8Array(4 * WORDS);
    for (let word = 0; word < WORDS; word++) {
      new DataView(bytes.buffer).setUint32(4 * word, this.#words[WORDS * best + word] ?? 0);
    }
    return { bytes, prefixBits: this.#prefix[best] ?? 0 };
  }

  /** The table of all blocks so far; none may be added meanwhile. */
  *table(
    version: number,
    { others, dryRun }: Pick<AccessSpec, 'others' | 'dryRun'>,
  ): Stretches<AccessTable> {
    const { starts, verdicts, count } = yield* this.#intervals();
    const memory = new SharedArrayBuffer(count * BYTES);
    const words = new Uint32Array(memory, 0, count * WORDS);
    // Memory that is touched for the first time costs more than what is written.
    for (let at = 0; at < words.length; at += COPIED_WORDS) {
      words.set(starts.subarray(at, Math.min(at + COPIED_WORDS, words.length)), at);
      if (words.length > COPIED_WORDS) yield;
    }
    new Uint8Array(memory, 4 * count * WORDS).set(verdicts.subarray(0, count));
    return { version, memory, intervals: count, others, dryRun };
  }

  #push(bytes: Uint8Array, prefixBits: number, verdict: number): void {
    const at = this.#count++;
    if (at === this.#prefix.length) this.#grow();
    for (let word = 0; word < WORDS; word++) this.#words[WORDS * at + word] = wordAt(bytes, word);
    this.#prefix[at] = prefixBits;
    this.#verdict[at] = verdict;
  }

  #grow(): void {
    const grown = <A extends Uint8Array | Uint32Array>(of: A, into: A): A => {
      into.set(of);
      return into;
    };
    this.#words = grown(this.#words, new Uint32Array(2 * this.#words.length));
    this.#prefix = grown(this.#prefix, new Uint8Array(2 * this.#prefix.length));
    this.#verdict = grown(this.#verdict, new Uint8Array(2 * this.#verdict.length));
  }

  /**
   * Wider blocks before those inside them; of two that are the same the weaker word first. Runs are
   * sorted and then merged, each run with the next, until one is left.
   */
  *#sorted(): Stretches<Uint32Array> {
    const count = this.#count;
    let from = new Uint32Array(count);
    for (let start = 0; start < count; start += ITEMS_PER_STRETCH) {
      const run = from.subarray(start, start + ITEMS_PER_STRETCH);
      for (let at = 0; at < run.length; at++) run[at] = start + at;
      run.sort((a, b) => this.#order(a, b));
      if (count > ITEMS_PER_STRETCH) yield;
    }
    let into = new Uint32Array(count);
    for (let run = ITEMS_PER_STRETCH; run < count; run *= 2) {
      let left = 0;
      let right = run;
      yield* inStretches(count, (at) => {
        const start = at - (at % (2 * run));
        if (at === start) {
          left = start;
          right = start + run;
        }
        const leftIsOut = left >= start + run || left >= count;
        const rightIsOut = right >= start + 2 * run || right >= count;
        const a = from[left] ?? 0;
        const b = from[right] ?? 0;
        const takesLeft = rightIsOut || (!leftIsOut && this.#order(a, b) <= 0);
        into[at] = takesLeft ? a : b;
        if (takesLeft) left++;
        else right++;
      });
      [from, into] = [into, from];
    }
    return from;
  }

  #order(a: number, b: number): number {
    for (let word = 0; word < WORDS; word++) {
      const by = (this.#words[WORDS * a + word] ?? 0) - (this.#words[WORDS * b + word] ?? 0);
      if (by !== 0) return by;
    }
    const byPrefix = (this.#prefix[a] ?? 0) - (this.#prefix[b] ?? 0);
    return byPrefix !== 0 ? byPrefix : (this.#verdict[a] ?? 0) - (this.#verdict[b] ?? 0);
  }

  *#intervals(): Stretches<Intervals> {
    const intervals = new Intervals(2 * this.#count + 1);
    /** Blocks around the present place, outermost first. */
    const around: number[] = [];
    const open = new Uint32Array(WORDS);
    const leaveUntil = (next: number | null): void => {
      for (let top = around.at(-1); top !== undefined; top = around.at(-1)) {
        if (next !== null && this.#contains(top, next)) return;
        around.pop();
        const isLast = !this.#afterEnd(top, open);
        const outer = around.at(-1);
        if (!isLast) intervals.begin(open, 0, outer === undefined ? SILENT : this.#said(outer));
      }
    };
    intervals.begin(open, 0, SILENT);
    const order = yield* this.#sorted();
    yield* inStretches(order.length, (at) => {
      const index = order[at] ?? 0;
      leaveUntil(index);
      around.push(index);
      intervals.begin(this.#words, WORDS * index, this.#said(index));
    });
    leaveUntil(null);
    return intervals;
  }

  #said(index: number): number {
    return this.#verdict[index] ?? SILENT;
  }

  #contains(outer: number, inner: number): boolean {
    const bits = this.#prefix[outer] ?? 0;
    for (let word = 0; word < WORDS; word++) {
      const mask = maskOf(bits - 32 * word);
      const a = this.#words[WORDS * outer + word] ?? 0;
      const b = this.#words[WORDS * inner + word] ?? 0;
      if (((a ^ b) & mask) !== 0) return false;
    }
    return true;
  }

  /** Writes the first address behind a block; false: there is none. */
  #afterEnd(index: number, into: Uint32Array): boolean {
    const bits = this.#prefix[index] ?? 0;
    let carry = 1;
    for (let word = WORDS - 1; word >= 0; word--) {
      const start = this.#words[WORDS * index + word] ?? 0;
      const last = (start | ~maskOf(bits - 32 * word)) >>> 0;
      into[word] = last + carry;
      carry = carry === 1 && last === 0xffff_ffff ? 1 : 0;
    }
    return carry === 0;
  }
}

class Intervals {
  readonly starts: Uint32Array;
  readonly verdicts: Uint8Array;
  count = 0;

  constructor(most: number) {
    this.starts = new Uint32Array(WORDS * most);
    this.verdicts = new Uint8Array(most);
  }

  /** From `words` on, which is not before the last one: `verdict`. */
  begin(words: Uint32Array, at: number, verdict: number): void {
    const last = this.count - 1;
    if (last >= 0 && compare(this.starts, WORDS * last, words, at) === 0) this.count--;
    const before = this.count === 0 ? -1 : this.verdicts[this.count - 1];
    if (before === verdict) return;
    for (let word = 0; word < WORDS; word++) {
      this.starts[WORDS * this.count + word] = words[at + word] ?? 0;
    }
    this.verdicts[this.count++] = verdict;
  }
}

/** One worker's look at a table. */
export class AccessList {
  readonly isDryRun: boolean;
  readonly #starts: Uint32Array;
  readonly #verdicts: Uint8Array;
  readonly #others: AccessSpec['others'];
  readonly #asked = new Uint32Array(WORDS);

  constructor({ memory, intervals, others, dryRun }: AccessTable) {
    assert(intervals > 0, 'a table covers all addresses');
    this.#starts = new Uint32Array(memory, 0, intervals * WORDS);
    this.#verdicts = new Uint8Array(memory, 4 * intervals * WORDS, intervals);
    this.#others = others;
    this.isDryRun = dryRun;
  }

  /** Why a client at `address` (4 or 16 bytes) may not come; null: it may. */
  refusal(address: Uint8Array): AccessRefusal | null {
    const asked = this.#asked;
    const wide = address.length === 4 ? null : address;
    if (wide === null) {
      asked[0] = 0;
      asked[1] = 0;
      asked[2] = 0xffff;
      asked[3] = wordAt(address, 0);
    } else for (let word = 0; word < WORDS; word++) asked[word] = wordAt(wide, word);
    let low = 0;
    let high = this.#verdicts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (compare(this.#starts, WORDS * middle, asked, 0) <= 0) low = middle;
      else high = middle - 1;
    }
    const verdict = this.#verdicts[low];
    if (verdict === DENY) return 'denied';
    return verdict === ALLOW || this.#others === 'allowed' ? null : 'not-allowed';
  }
}

function compare(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): number {
  for (let word = 0; word < WORDS; word++) {
    const by = (a[aAt + word] ?? 0) - (b[bAt + word] ?? 0);
    if (by !== 0) return by;
  }
  return 0;
}

/** The first `bits` of a word: all of them from 32 on, none from 0 down. */
function maskOf(bits: number): number {
  if (bits >= BITS / WORDS) return 0xffff_ffff;
  return bits <= 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0;
}
