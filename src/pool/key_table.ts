/**
 * Which backend has given out which key of a Postgres session: a table in shared memory that never
 * grows. Each worker has a part of its own and is the only one that writes there, so no two threads
 * wait for each other; a look for a key goes through all parts.
 *
 * No secret stands in it: a key is kept as a hash of 64 bits, with a hash key drawn at start
 * (keyed_hash.ts). Two keys of 65,536 that share one are seen once in 10^10 starts, and then a
 * cancel meets a server that does nothing.
 */
import { assertShared } from '../core/assert.js';
import type { BackendId, ListenerId, WorkerId } from '../core/brand.js';
import { MAX_BACKENDS } from '../core/limits.js';
import type { Random } from '../core/random.js';
import { halfSipHash } from './keyed_hash.js';

/** Slots of a set; a key may stand in any of its set's. */
const WAYS = 16;
/**
 * Of each worker. With 65,536 slots a set has no room for one more once in 10^4 while 24,576
 * sessions of the worker have keys, and once in 270 while 32,768 do (Poisson).
 */
const KEY_SETS = 4_096;

/** `note` found no room: the key stays unknown. */
export const NO_ROOM = -1;

const HEAD_WORDS = 8;
const SETS_WORD = 0;
const WORKERS_WORD = 1;
/** Four words: two hashes, each with a key of 64 bits. */
const HASH_KEYS_WORD = 2;

/** A slot: its state, and the two words of the hash. Sixteen bytes, so that one line has it all. */
const SLOT_WORDS = 4;
/**
 * A state is the number of the backend and 1 (0: free) below a number that changes with each key: a
 * thread that has read the same state before and after the hash has read what belongs together.
 */
const BACKEND_BITS = 15;
const BACKEND_MASK = (1 << BACKEND_BITS) - 1;
const NEXT = 1 << BACKEND_BITS;

/** Only tests want another number of sets than KEY_SETS. */
export function createKeyMemory(
  workers: number,
  random: Random,
  sets = KEY_SETS,
): SharedArrayBuffer {
  const slots = workers * sets * WAYS;
  const memory = new SharedArrayBuffer(4 * (HEAD_WORDS + SLOT_WORDS * slots));
  const head = new Int32Array(memory, 0, HEAD_WORDS);
  head[SETS_WORD] = sets;
  head[WORKERS_WORD] = workers;
  for (let word = 0; word < 4; word++) head[HASH_KEYS_WORD + word] = random.next() * 2 ** 32;
  return memory;
}

export class KeyTable {
  readonly #head: Int32Array;
  readonly #slots: Int32Array;
  readonly #sets: number;
  readonly #workers: number;
  /** What is hashed, for keys of one length, which they mostly have: as words, and as its bytes. */
  #words = new Int32Array(0);
  #bytes = new Uint8Array(0);
  /** What `#hash` has found last. */
  #first = 0;
  #second = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, HEAD_WORDS);
    this.#slots = new Int32Array(memory, 4 * HEAD_WORDS);
    this.#sets = this.#head[SETS_WORD] ?? 0;
    this.#workers = this.#head[WORKERS_WORD] ?? 0;
    assertShared(MAX_BACKENDS < BACKEND_MASK, 'a backend fits into a state');
  }

  /**
   * `backend` has given out `key` to a session of `listener` in `worker`, which calls: the slot,
   * for `forget`, or NO_ROOM.
   */
  note(listener: ListenerId, key: Uint8Array, backend: BackendId, worker: WorkerId): number {
    this.#hash(listener, key);
    const from = this.#firstOf(worker);
    for (let slot = from; slot < from + WAYS; slot++) {
      const state = Atomics.load(this.#slots, SLOT_WORDS * slot);
      if ((state & BACKEND_MASK) !== 0) continue;
      Atomics.store(this.#slots, SLOT_WORDS * slot + 1, this.#first);
      Atomics.store(this.#slots, SLOT_WORDS * slot + 2, this.#second);
      Atomics.store(this.#slots, SLOT_WORDS * slot, (state + NEXT) | (backend + 1));
      return slot;
    }
    return NO_ROOM;
  }

  /** The session whose key stands in `slot` of the calling worker is over. */
  forget(slot: number): void {
    const state = Atomics.load(this.#slots, SLOT_WORDS * slot);
    assertShared((state & BACKEND_MASK) !== 0, 'a key is forgotten once');
    Atomics.store(this.#slots, SLOT_WORDS * slot, state & ~BACKEND_MASK);
  }

  /** Backends that have given out `key` to sessions of `listener`; mostly one, or none. */
  find(listener: ListenerId, key: Uint8Array): readonly BackendId[] {
    this.#hash(listener, key);
    const found = new Set<BackendId>();
    for (let worker = 0; worker < this.#workers; worker++) {
      const from = this.#firstOf(worker as WorkerId);
      for (let slot = from; slot < from + WAYS; slot++) {
        const state = Atomics.load(this.#slots, SLOT_WORDS * slot);
        const backend = state & BACKEND_MASK;
        if (backend === 0 || !this.#isAt(slot)) continue;
        if (Atomics.load(this.#slots, SLOT_WORDS * slot) !== state) continue;
        found.add((backend - 1) as BackendId);
      }
    }
    return [...found];
  }

  /** A worker is lost, and its sessions with it. Only when that thread runs no more. */
  forgetWorker(worker: WorkerId): void {
    const from = worker * this.#sets * WAYS;
    for (let slot = from; slot < from + this.#sets * WAYS; slot++) {
      // Read first: writing a zero would make the kernel allocate a page that was never used.
      const state = Atomics.load(this.#slots, SLOT_WORDS * slot);
      if ((state & BACKEND_MASK) !== 0) this.forget(slot);
    }
  }

  #isAt(slot: number): boolean {
    return (
      Atomics.load(this.#slots, SLOT_WORDS * slot + 1) === this.#first &&
      Atomics.load(this.#slots, SLOT_WORDS * slot + 2) === this.#second
    );
  }

  #firstOf(worker: WorkerId): number {
    return (worker * this.#sets + ((this.#first >>> 0) % this.#sets)) * WAYS;
  }

  /** Of the listener and the key: no client asks for what another listener's clients have. */
  #hash(listener: ListenerId, key: Uint8Array): void {
    const length = 2 + Math.ceil(key.length / 4);
    if (this.#words.length !== length) {
      this.#words = new Int32Array(length);
      this.#bytes = new Uint8Array(this.#words.buffer, 8);
    }
    const words = this.#words;
    words[length - 1] = 0;
    words[0] = listener;
    words[1] = key.length;
    this.#bytes.set(key);
    const hashKey = (word: number): number => this.#head[HASH_KEYS_WORD + word] ?? 0;
    this.#first = halfSipHash(words, hashKey(0), hashKey(1));
    this.#second = halfSipHash(words, hashKey(2), hashKey(3));
  }
}
