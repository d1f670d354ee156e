/**
 * The data of each direction that was read and not yet sent: a queue of buffers, linked through
 * typed arrays by buffer number.
 */
import { assert } from '../../core/assert.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
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
    this.#next = new Int32Array(pool.count).fill(NONE);
    this.#start = new Int32Array(pool.count);
    this.#bytes = new Int32Array(pool.count);
    this.#credit = new Int32Array(pool.count);
  }

  /** `credit`: how many of the `bytes` count as traffic (a prelude does not). */
  append(direction: number, buffer: number, bytes: number, credit: number): void {
    assert(bytes > 0, 'only data is queued');
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
    return head * this.#pool.strideBytes + (this.#start[head] ?? 0);
  }

  /** The bytes of the first buffer that are still to be sent. */
  bytes(direction: number): number {
    return this.#bytes[this.#front(direction)] ?? 0;
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

  #front(direction: number): number {
    const head = this.#head[direction] ?? NONE;
    assert(head !== NONE, 'a direction that sends has data');
    return head;
  }
}
