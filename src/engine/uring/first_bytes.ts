/**
 * What clients have sent before their relays: a sequence of bytes for each pair. The first bytes
 * stay in the buffer that they came in, as mostly they are all that comes and are sent on soon; but
 * clients that wait for a backend must not starve those that have one, so beyond a share of the
 * pool, and behind the first buffer, bytes are copied.
 *
 * A pair's bytes are what is copied, and behind that what stands in its buffer. Only an empty
 * sequence gets a buffer, and code that needs the bytes together copies it first: no order of calls
 * leads to anything else.
 */
import type { BufferPool } from '../../kernel/buffer_pool.js';
import { HELD_BYTES } from '../../session/tcp_port.js';
import { NONE } from './pairs.js';

/** The share of the pool's buffers that may be kept for early bytes. */
const KEPT_SHARE = 1 / 4;

interface Copied {
  bytes: Uint8Array;
  length: number;
}

export class FirstBytes {
  readonly #pool: BufferPool;
  readonly #copied: (Copied | undefined)[] = [];
  /** By pair: a buffer with bytes, or NONE, and how many they are. */
  readonly #kept: Int32Array;
  readonly #keptBytes: Int32Array;
  #keptCount = 0;
  #copiedBytes = 0;

  constructor(pool: BufferPool, pairs: number) {
    this.#pool = pool;
    this.#kept = new Int32Array(pairs).fill(NONE);
    this.#keptBytes = new Int32Array(pairs);
  }

  /** Copied for all pairs. */
  get copiedBytes(): number {
    return this.#copiedBytes;
  }

  length(pair: number): number {
    const kept = this.#kept[pair] === NONE ? 0 : (this.#keptBytes[pair] ?? 0);
    return kept + (this.#copied[pair]?.length ?? 0);
  }

  /** Adds `bytes` that stand in `buffer`, which is this object's from now on. */
  add(pair: number, buffer: number, bytes: number): void {
    const mayKeep = this.#keptCount < this.#pool.count * KEPT_SHARE;
    if (mayKeep && this.length(pair) === 0) {
      this.#kept[pair] = buffer;
      this.#keptBytes[pair] = bytes;
      this.#keptCount++;
      return;
    }
    this.#copyKept(pair);
    this.#append(pair, buffer, bytes);
  }

  /** All of them together, until the next call; those of a buffer are seen where they stand. */
  view(pair: number): Uint8Array {
    const kept = this.#kept[pair] ?? NONE;
    if (kept !== NONE && this.#copied[pair] === undefined) return this.#seen(pair, kept);
    this.#copyKept(pair);
    const copied = this.#copied[pair];
    return copied === undefined ? NOTHING : copied.bytes.subarray(0, copied.length);
  }

  /**
   * Gives the pair's buffer back, if there is one: a client that says more later waits without one.
   */
  settle(pair: number): void {
    this.#copyKept(pair);
  }

  /** Forgets the first `count`. */
  drop(pair: number, count: number): void {
    if (count === 0) return;
    if (count === this.length(pair)) return this.clear(pair);
    this.#copyKept(pair);
    const copied = this.#copied[pair];
    if (copied === undefined) return;
    copied.bytes.copyWithin(0, count, copied.length);
    copied.length -= count;
    this.#copiedBytes -= count;
  }

  /** How many bytes stand in the buffer that `takeBuffer` gives. */
  keptBytes(pair: number): number {
    return this.#keptBytes[pair] ?? 0;
  }

  /** Hands out the buffer with all bytes, if they do stand in one; else NONE. */
  takeBuffer(pair: number): number {
    const buffer = this.#kept[pair] ?? NONE;
    if (buffer === NONE || this.#copied[pair] !== undefined) return NONE;
    this.#kept[pair] = NONE;
    this.#keptCount--;
    return buffer;
  }

  /** Hands out all bytes, or null when there are none. */
  take(pair: number): Uint8Array | null {
    this.#copyKept(pair);
    const bytes = this.view(pair);
    this.#copied[pair] = undefined;
    this.#copiedBytes -= bytes.length;
    return bytes.length === 0 ? null : bytes;
  }

  /** Forgets all of them. */
  clear(pair: number): void {
    const buffer = this.takeBuffer(pair);
    if (buffer === NONE) this.take(pair);
    else this.#pool.recycle(buffer);
  }

  #copyKept(pair: number): void {
    const buffer = this.#kept[pair] ?? NONE;
    if (buffer === NONE) return;
    this.#kept[pair] = NONE;
    this.#keptCount--;
    this.#append(pair, buffer, this.#keptBytes[pair] ?? 0);
  }

  #seen(pair: number, buffer: number): Uint8Array {
    const { bytes, strideBytes } = this.#pool;
    const start = buffer * strideBytes;
    return bytes.subarray(start, start + (this.#keptBytes[pair] ?? 0));
  }

  #append(pair: number, buffer: number, bytes: number): void {
    const pool = this.#pool;
    const start = buffer * pool.strideBytes;
    const copied = this.#copied[pair] ?? { bytes: new Uint8Array(bytes), length: 0 };
    const length = copied.length + bytes;
    if (length > copied.bytes.length) {
      const grown = new Uint8Array(Math.max(length, Math.min(2 * copied.bytes.length, HELD_BYTES)));
      grown.set(copied.bytes.subarray(0, copied.length));
      copied.bytes = grown;
    }
    copied.bytes.set(pool.bytes.subarray(start, start + bytes), copied.length);
    copied.length = length;
    this.#copied[pair] = copied;
    this.#copiedBytes += bytes;
    pool.recycle(buffer);
  }
}

const NOTHING = new Uint8Array(0);
