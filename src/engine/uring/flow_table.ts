/**
 * Finds the flow of a datagram without allocating: a hash table with linear probing over typed
 * arrays. A key is some words: listener, client, local address. Deleting moves later entries back
 * (Knuth, TAOCP volume 3, 6.4, algorithm R), so that no tombstones pile up.
 */
import { assertShared } from '../../core/assert.js';

/** Listener; family and port; 4 of the client's address, its scope; 4 of the local address. */
export const KEY_WORDS = 11;

export class FlowTable {
  /** What is looked up and added; to be filled by the caller. */
  readonly key = new Int32Array(KEY_WORDS);

  readonly #keys: Int32Array;
  readonly #hash: Int32Array;
  /** Flow plus one; 0: empty. */
  readonly #slots: Int32Array;
  readonly #mask: number;
  readonly #seed: number;

  /** `seed`: makes it hard to find clients whose keys collide. */
  constructor(capacity: number, seed: number) {
    const size = 2 ** Math.ceil(Math.log2(2 * capacity + 1));
    this.#keys = new Int32Array(capacity * KEY_WORDS);
    this.#hash = new Int32Array(capacity);
    this.#slots = new Int32Array(size);
    this.#mask = size - 1;
    this.#seed = seed | 0;
  }

  /** The flow of `key`, or -1. */
  find(): number {
    const hash = this.#hashOfKey();
    const mask = this.#mask;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const flow = (this.#slots[slot] ?? 0) - 1;
      if (flow < 0 || (this.#hash[flow] === hash && this.#hasKey(flow))) return flow;
    }
  }

  /** Adds `flow` under `key`, which must not be there. */
  add(flow: number): void {
    const hash = this.#hashOfKey();
    this.#keys.set(this.key, flow * KEY_WORDS);
    this.#hash[flow] = hash;
    let slot = hash & this.#mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = flow + 1;
  }

  remove(flow: number): void {
    const mask = this.#mask;
    let gap = (this.#hash[flow] ?? 0) & mask;
    for (let tries = 0; this.#slots[gap] !== flow + 1; tries++) {
      assertShared(tries <= mask, 'a flow that is removed is in the table');
      gap = (gap + 1) & mask;
    }
    for (let slot = (gap + 1) & mask; ; slot = (slot + 1) & mask) {
      const other = (this.#slots[slot] ?? 0) - 1;
      if (other < 0) break;
      // An entry may fill the gap unless its own place lies behind the gap.
      const home = (this.#hash[other] ?? 0) & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      this.#slots[gap] = other + 1;
      gap = slot;
    }
    this.#slots[gap] = 0;
  }

  #hasKey(flow: number): boolean {
    const at = flow * KEY_WORDS;
    for (let word = 0; word < KEY_WORDS; word++) {
      if (this.#keys[at + word] !== this.key[word]) return false;
    }
    return true;
  }

  /** MurmurHash3's mixing of 32-bit words (Appleby), which is quick and spreads ports well. */
  #hashOfKey(): number {
    let hash = this.#seed;
    for (let word = 0; word < KEY_WORDS; word++) {
      let mixed = Math.imul(this.key[word] ?? 0, 0xcc9e2d51);
      mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
      hash ^= mixed;
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }
}
