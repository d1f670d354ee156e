/**
 * Where clients stand in the client table, and how a row becomes another client's, while any number
 * of threads do the same. No thread waits for another: each step that others see is one
 * compare-and-swap.
 *
 * A row's *state* has a number that changes whenever a session begins and whenever the row is
 * claimed for another client. A row counts when its bit in the set's word is set, which is done in
 * one step with the word that was read when the client was found nowhere: it never stands in two
 * rows. ADR 30 says why this is right.
 */

import type { ListenerId } from '../core/brand.js';
import { wordAt } from '../core/ip_bytes.js';
import {
  CLAIMED,
  CLIENT_KEY_WORDS,
  type ClientCells,
  COUNT_MASK,
  clientCells,
  KEY_WORD,
  NEXT,
  WAYS,
} from './client_table_layout.js';
import { halfSipHash } from './keyed_hash.js';

export const NO_CLIENT = -1;
const WORD_BITS = 32;
const MAPPED = 0xffff;

export abstract class ClientRows {
  protected readonly cells: ClientCells;
  /** How many there are. */
  protected readonly rows: number;
  /** The lower halves of the sets' words: every machine of Node.js is little-endian. */
  readonly #bits: Int32Array;
  readonly #hashKey: readonly [number, number];
  /** The client that is asked about. */
  readonly #key = new Int32Array(CLIENT_KEY_WORDS);
  #hash = 0;
  #set = 0;

  constructor(memory: ArrayBufferLike) {
    const cells = clientCells(memory);
    this.cells = cells;
    this.#bits = new Int32Array(memory, cells.sets.byteOffset, 2 * cells.sets.length);
    this.rows = cells.states.length;
    this.#hashKey = [cells.head[KEY_WORD] ?? 0, cells.head[KEY_WORD + 1] ?? 0];
  }

  /** Clients that have a row now. */
  get size(): number {
    let size = 0;
    for (let set = 0; set < this.cells.sets.length; set++) {
      for (let bits = this.#bitsOf(set); bits !== 0; bits &= bits - 1) size++;
    }
    return size;
  }

  /** All that follows is about this client: 4 or 16 bytes. */
  protected ask(listener: ListenerId, client: Uint8Array, ipv6PrefixBits: number): void {
    const key = this.#key;
    key[0] = listener;
    if (client.length === 4) {
      key[1] = 0;
      key[2] = 0;
      key[3] = MAPPED;
      key[4] = wordAt(client, 0);
    } else {
      for (let word = 0; word < 4; word++) {
        const bits = ipv6PrefixBits - WORD_BITS * word;
        const mask = bits >= WORD_BITS ? -1 : bits <= 0 ? 0 : -1 << (WORD_BITS - bits);
        key[1 + word] = wordAt(client, word) & mask;
      }
    }
    this.#hash = halfSipHash(key, this.#hashKey[0], this.#hashKey[1]);
    this.#set = (this.#hash >>> 0) % this.cells.sets.length;
  }

  /** The row of the client; it may be another one's by the time of the answer. */
  protected find(): number {
    return this.#findAmong(this.#bitsOf(this.#set));
  }

  /** The row has the key of the client. */
  protected isAt(row: number): boolean {
    const { hashes, keys } = this.cells;
    if (hashes[row] !== this.#hash) return false;
    for (let word = 0; word < CLIENT_KEY_WORDS; word++) {
      if (keys[CLIENT_KEY_WORDS * row + word] !== this.#key[word]) return false;
    }
    return true;
  }

  /** `key` was read from `row` in one piece: no thread wrote another one meanwhile. */
  protected isWhole(row: number, key: Int32Array): boolean {
    return halfSipHash(key, ...this.#hashKey) === this.cells.hashes[row];
  }

  /** Whether `row` counts. */
  protected counts(row: number): boolean {
    return ((this.#bitsOf(Math.floor(row / WAYS)) >>> (row % WAYS)) & 1) === 1;
  }

  /**
   * Makes a row of the client's set `owner`'s that says nothing; one that is free, if there is one.
   */
  protected claim(nowNs: bigint, owner: number): number {
    const { states, times } = this.cells;
    const bits = this.#bitsOf(this.#set);
    for (let at = 0; at < 2 * WAYS; at++) {
      const way = at % WAYS;
      if (((bits >>> way) & 1) !== Math.floor(at / WAYS)) continue;
      const row = this.#set * WAYS + way;
      const state = Atomics.load(states, row);
      if ((state & COUNT_MASK) !== 0 || Atomics.load(times, row) > nowNs) continue;
      // No session has begun since: the rate is as it was seen.
      if (!this.tryClaim(row, state, owner)) continue;
      this.hide(row);
      return row;
    }
    return NO_CLIENT;
  }

  protected tryClaim(row: number, state: number, owner: number): boolean {
    const claimed = ((state & ~COUNT_MASK) + NEXT) | (CLAIMED + owner);
    return Atomics.compareExchange(this.cells.states, row, state, claimed) === state;
  }

  /** A row that is claimed gets the client's key. */
  protected writeKey(row: number): void {
    this.cells.keys.set(this.#key, CLIENT_KEY_WORDS * row);
    this.cells.hashes[row] = this.#hash;
  }

  /** The row counts from now on; false: the client has got another one meanwhile. */
  protected tryPublish(row: number): boolean {
    const { sets } = this.cells;
    for (;;) {
      const word = Atomics.load(sets, this.#set);
      if (this.#findAmong(Number(BigInt.asIntN(WORD_BITS, word))) !== NO_CLIENT) return false;
      const next = changedWord(word, Number(BigInt.asIntN(WORD_BITS, word)) | (1 << (row % WAYS)));
      if (Atomics.compareExchange(sets, this.#set, word, next) === word) return true;
    }
  }

  /** A row that the caller has claimed counts for no client any more. */
  protected hide(row: number): void {
    this.#hide(row, null);
  }

  /**
   * Helps the thread that has claimed `row`, whose state was `claimed`. By now that thread may have
   * published it for its client: so the state is looked at after the word that is then changed.
   */
  protected hideClaimed(row: number, claimed: number): void {
    this.#hide(row, claimed);
  }

  #hide(row: number, claimed: number | null): void {
    const { sets, states } = this.cells;
    const set = Math.floor(row / WAYS);
    const bit = 1 << (row % WAYS);
    for (;;) {
      const word = Atomics.load(sets, set);
      const bits = Number(BigInt.asIntN(WORD_BITS, word));
      if ((bits & bit) === 0) return;
      if (claimed !== null && Atomics.load(states, row) !== claimed) return;
      const next = changedWord(word, bits & ~bit);
      if (Atomics.compareExchange(sets, set, word, next) === word) return;
    }
  }

  /** The row, among those of `bits`, at which the client stands. */
  #findAmong(bits: number): number {
    for (let left = bits; left !== 0; left &= left - 1) {
      const row = this.#set * WAYS + WORD_BITS - 1 - Math.clz32(left & -left);
      if (this.isAt(row)) return row;
    }
    return NO_CLIENT;
  }

  #bitsOf(set: number): number {
    return Atomics.load(this.#bits, 2 * set);
  }
}

/** Other bits, below the next number. */
function changedWord(word: bigint, bits: number): bigint {
  return BigInt.asIntN(64, (((word >> 32n) + 1n) << 32n) | BigInt(bits >>> 0));
}
