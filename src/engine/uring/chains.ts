/**
 * The data of each direction that was read and not yet sent: a queue of buffers, linked through
 * typed arrays by buffer number.
 */
import { assert } from '../../core/assert.js';
import { type BufferPool, SMALL_BYTES } from '../../kernel/buffer_pool.js';
import { NONE } from './pairs.js';

export class Chains {
  /** By direction: how many buffers it holds. */
  readonly length: Int32Array;

  readonly #pool: BufferPool;
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  // By buffer.
  readonly #next: Int32Array;
  readonly #start: Int32Array;
  readonly #bytes: Int32Array;
  readonly #credit: Int32Array;

  constructor(pool: BufferPool, directions: number) {
    this.#pool = pool;
    this.length = new Int32Array(directions);
    this.#head = new Int32Array(directions).fill(NONE);
    this.#tail = new Int32Array(directions).fill(NONE);
    const buffers = pool.count + pool.small;
    this.#next = new Int32Array(buffers).fill(NONE);
    this.#start = new Int32Array(buffers);
    this.#bytes = new Int32Array(buffers);
    this.#credit = new Int32Array(buffers);
  }

  /** `credit`: how many of the `bytes` count as traffic (a prelude does not). */
  append(direction: number, buffer: number, bytes: number, credit: number): void {
    this.#next[buffer] = NONE;
    this.#start[buffer] = 0;
    this.#bytes[buffer] = bytes;
    this.#credit[buffer] = credit;
    const tail = this.#tail[direction] ?? NONE;
    if (tail === NONE) this.#head[direction] = buffer;
    else this.#next[tail] = buffer;
    this.#tail[direction] = buffer;
    this.length[direction] = (this.length[direction] ?? 0) + 1;
  }

  /** Where in the pool's memory stands what is to be sent next. */
  offset(direction: number): number {
    const head = this.#front(direction);
    return this.#pool.offsetOf(head) + (this.#start[head] ?? 0);
  }

  /** The bytes of the first buffer that are still to be sent. */
  bytes(direction: number): number {
    return this.#bytes[this.#front(direction)] ?? 0;
  }

  /** All bytes that are still to be sent. */
  totalBytes(direction: number): number {
    let sum = 0;
    let at = this.#head[direction] ?? NONE;
    for (; at !== NONE; at = this.#next[at] ?? NONE) sum += this.#bytes[at] ?? 0;
    return sum;
  }

  /** The first `bytes` of the first buffer, but not all of it, were sent. */
  advance(direction: number, bytes: number): void {
    const head = this.#front(direction);
    const left = (this.#bytes[head] ?? 0) - bytes;
    assert(bytes >= 0 && left > 0, 'less than a buffer was sent');
    this.#start[head] = (this.#start[head] ?? 0) + bytes;
    this.#bytes[head] = left;
  }

  /** The first buffer was sent and goes back to the pool; returns its credit. */
  shift(direction: number): number {
    const head = this.#front(direction);
    const next = this.#next[head] ?? NONE;
    this.#head[direction] = next;
    if (next === NONE) this.#tail[direction] = NONE;
    this.length[direction] = (this.length[direction] ?? 0) - 1;
    this.#pool.recycle(head);
    return this.#credit[head] ?? 0;
  }

  /** Everything queued goes back to the pool unsent; nothing of it may be in flight. */
  drop(direction: number): void {
    while ((this.length[direction] ?? 0) > 0) this.shift(direction);
  }

  /**
   * Moves what stands in large buffers into small ones and gives the large ones back; nothing of it
   * may be in flight. Changes nothing when there are too few small ones.
   */
  shrink(direction: number): 'shrunk' | 'no room' {
    const { count } = this.#pool;
    // New data always comes in large buffers: behind the first of them there are no small ones.
    let last = NONE;
    let from = this.#head[direction] ?? NONE;
    while (from !== NONE && from >= count) {
      last = from;
      from = this.#next[from] ?? NONE;
    }
    if (from === NONE) return 'shrunk';
    let bytes = 0;
    for (let at = from; at !== NONE; at = this.#next[at] ?? NONE) bytes += this.#bytes[at] ?? 0;
    if (Math.ceil(bytes / SMALL_BYTES) > this.#pool.small - this.#pool.smallUsed) return 'no room';
    if (last === NONE) this.#head[direction] = NONE;
    else this.#next[last] = NONE;
    this.#tail[direction] = last;
    while (from !== NONE) from = this.#copyOver(direction, from);
    return 'shrunk';
  }

  /** Copies `buffer` behind the others, gives it back and answers the one that came after it. */
  #copyOver(direction: number, buffer: number): number {
    const pool = this.#pool;
    let from = pool.offsetOf(buffer) + (this.#start[buffer] ?? 0);
    let left = this.#bytes[buffer] ?? 0;
    let credit = this.#credit[buffer] ?? 0;
    this.length[direction] = (this.length[direction] ?? 0) - 1;
    while (left > 0) {
      const into = this.#roomAtTail(direction);
      const used = this.#bytes[into] ?? 0;
      const bytes = Math.min(left, SMALL_BYTES - used);
      pool.bytes.copyWithin(pool.offsetOf(into) + used, from, from + bytes);
      this.#bytes[into] = used + bytes;
      const share = Math.min(credit, left === bytes ? credit : bytes);
      this.#credit[into] = (this.#credit[into] ?? 0) + share;
      credit -= share;
      from += bytes;
      left -= bytes;
    }
    const next = this.#next[buffer] ?? NONE;
    pool.recycle(buffer);
    return next;
  }

  /** A small buffer at the end of the queue that has room and of which nothing was sent. */
  #roomAtTail(direction: number): number {
    const tail = this.#tail[direction] ?? NONE;
    const hasRoom =
      tail !== NONE && this.#start[tail] === 0 && (this.#bytes[tail] ?? 0) < SMALL_BYTES;
    if (hasRoom) return tail;
    const added = this.#pool.takeSmall();
    assert(added !== NONE, 'room was counted before');
    this.append(direction, added, 0, 0);
    return added;
  }

  #front(direction: number): number {
    const head = this.#head[direction] ?? NONE;
    assert(head !== NONE, 'a direction that sends has data');
    return head;
  }
}
