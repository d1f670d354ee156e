/**
 * Buffers that the kernel picks from when data has come (io_uring_register(2),
 * IORING_REGISTER_PBUF_RING), so that a waiting receive holds none. The free ones stand on a stack:
 * the ring is topped up with those used last, which are still in the CPU's caches, and the memory
 * in use follows the load instead of the size of the pool.
 *
 * Beside them stand small buffers, which the kernel never picks from: data whose target takes
 * nothing moves there, so that it does not hold what others need. Buffers of both kinds are
 * numbers, the small ones behind the large ones.
 */
import { assert, assertShared } from '../core/assert.js';
import { err, ok, type Result } from '../core/result.js';
import { type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import {
  discardPages,
  type MappedMemory,
  mapMemory,
  releaseMemory,
  writeAddress,
} from './memory.js';
import type { Ring } from './ring.js';
import { BUF_REG_WORDS, REGISTER_PBUF_RING } from './uring_abi.js';

/** struct io_uring_buf: address, length, number and (in entry 0) the ring's tail. */
const ENTRY_BYTES = 16;
/** 16-bit words. */
const TAIL_AT = 7;

/** The share of the buffers that is never put into the ring, so that `take` finds some. */
const TAKE_SHARE = 1 / 8;
/** Buffers in the ring at first; it doubles whenever the kernel found the ring empty. */
const FIRST_SUPPLY = 64;

/**
 * Added to each buffer's length, so that the first lines of all buffers do not fall into the same
 * set of a cache, whose sets repeat every few KiB.
 */
const STAGGER_BYTES = 5 * 64;

/** A small buffer: four pages, which cost memory only as far as they are written to. */
export const SMALL_BYTES = 16_384;

/** Below this share of large buffers without data, or above that of small ones with: scarce. */
const SCARCE_BELOW = 1 / 2;
const SMALL_SCARCE_ABOVE = 1 / 4;

export interface BufferPoolOptions {
  /** The number by which submissions name the pool. */
  readonly group: number;
  /** A power of two, 2 to 32768. */
  readonly count: number;
  readonly bufferBytes: number;
  /** Small buffers; none by default. */
  readonly small?: number;
}

export class BufferPool {
  readonly group: number;
  readonly count: number;
  readonly bufferBytes: number;
  /** All buffers' memory; buffer `b` begins at `b * strideBytes`. */
  readonly bytes: Uint8Array;
  readonly strideBytes: number;

  readonly #kernel: Kernel;
  readonly #memory: MappedMemory;
  readonly #ringMemory: MappedMemory;
  readonly #entries: Int32Array;
  readonly #shorts: Uint16Array;
  readonly #mask: number;
  readonly #free: Int32Array;
  /** Numbers of small buffers that hold nothing. */
  readonly #freeSmall: Int32Array;
  #freeSmallCount: number;
  /** How many small buffers there are. */
  readonly small: number;
  /** 1: somebody holds the buffer (the kernel or the engine). */
  readonly #used: Uint8Array;
  #freeCount: number;
  /** The fewest that were free since the last `trim`: so many at the stack's bottom lay still. */
  #leastFree: number;
  /** 1: the buffer was handed out since its pages were given back. */
  readonly #touched: Uint8Array;
  #tail = 0;
  #supplied = 0;
  #supplyTarget: number;
  readonly #maxSupply: number;
  /** So many free ones are left for `take`. */
  readonly #reserve: number;

  private constructor(
    kernel: Kernel,
    options: BufferPoolOptions,
    memory: MappedMemory,
    ringMemory: MappedMemory,
  ) {
    const { count, small = 0 } = options;
    this.group = options.group;
    this.small = small;
    this.count = count;
    this.bufferBytes = options.bufferBytes;
    this.strideBytes = options.bufferBytes + STAGGER_BYTES;
    this.bytes = new Uint8Array(memory.buffer);
    this.#kernel = kernel;
    this.#memory = memory;
    this.#ringMemory = ringMemory;
    this.#entries = new Int32Array(ringMemory.buffer);
    this.#shorts = new Uint16Array(ringMemory.buffer);
    this.#mask = count - 1;
    this.#free = Int32Array.from({ length: count }, (_, index) => count - 1 - index);
    this.#used = new Uint8Array(count + small);
    this.#freeSmall = Int32Array.from({ length: small }, (_, index) => count + small - 1 - index);
    this.#freeSmallCount = small;
    this.#freeCount = count;
    this.#leastFree = count;
    this.#touched = new Uint8Array(count);
    this.#reserve = Math.floor(count * TAKE_SHARE);
    this.#maxSupply = count - Math.max(1, Math.floor(count * TAKE_SHARE));
    this.#supplyTarget = Math.min(FIRST_SUPPLY, this.#maxSupply);
  }

  static create(
    kernel: Kernel,
    ring: Ring,
    options: BufferPoolOptions,
  ): Result<BufferPool, KernelError> {
    const { count, bufferBytes, group, small = 0 } = options;
    assert(Number.isInteger(Math.log2(count)) && count <= 32_768, 'a pool is a power of two');
    const bytes = count * (bufferBytes + STAGGER_BYTES) + small * SMALL_BYTES;
    const memory = mapMemory(kernel, bytes);
    if (!memory.ok) return memory;
    const ringMemory = mapMemory(kernel, count * ENTRY_BYTES);
    if (!ringMemory.ok) {
      releaseMemory(kernel, memory.value);
      return ringMemory;
    }
    const registered = register(kernel, ring, ringMemory.value, count, group);
    if (!registered.ok) {
      releaseMemory(kernel, memory.value);
      releaseMemory(kernel, ringMemory.value);
      return registered;
    }
    return ok(new BufferPool(kernel, options, memory.value, ringMemory.value));
  }

  /** Buffers that `take` can hand out. */
  get free(): number {
    return this.#freeCount;
  }

  /** Buffers without data that receives may use: in the kernel's ring, or on their way there. */
  get available(): number {
    return this.#supplied + Math.max(0, this.#freeCount - this.#reserve);
  }

  /** Where the buffers' memory begins. */
  get address(): number {
    return this.#memory.address;
  }

  addressOf(buffer: number): number {
    return this.#memory.address + this.offsetOf(buffer);
  }

  /** Where in the pool's memory `buffer`, of either kind, begins. */
  offsetOf(buffer: number): number {
    const { count, strideBytes } = this;
    if (buffer < count) return buffer * strideBytes;
    return count * strideBytes + (buffer - count) * SMALL_BYTES;
  }

  isSmall(buffer: number): boolean {
    return buffer >= this.count;
  }

  /** True when large buffers run short: data that stands still has to make room. */
  get short(): boolean {
    return this.available < this.count * SCARCE_BELOW;
  }

  /** True when nobody should take much at a time: so much stands still that it could get worse. */
  get scarce(): boolean {
    return this.short || this.smallUsed > this.small * SMALL_SCARCE_ABOVE;
  }

  /** Small buffers that hold data. */
  get smallUsed(): number {
    return this.small - this.#freeSmallCount;
  }

  /** A small buffer, or -1. */
  takeSmall(): number {
    if (this.#freeSmallCount === 0) return -1;
    const buffer = this.#freeSmall[--this.#freeSmallCount] ?? 0;
    this.#used[buffer] = 1;
    return buffer;
  }

  /** Tops the kernel's ring up; to be called before each enter. */
  supply(): void {
    if (this.#supplied >= this.#supplyTarget || this.#freeCount <= this.#reserve) return;
    // What one turn can receive for targets that take nothing is bounded by what stands there.
    const target = this.scarce ? Math.min(FIRST_SUPPLY, this.#supplyTarget) : this.#supplyTarget;
    while (this.#supplied < target && this.#freeCount > this.#reserve) {
      const buffer = this.#pop();
      const at = (this.#tail & this.#mask) * 4;
      const address = this.addressOf(buffer);
      writeAddress(this.#entries, at, address);
      this.#entries[at + 2] = this.bufferBytes;
      // Not as a word: in entry 0 its upper half is the tail.
      this.#shorts[at * 2 + 6] = buffer;
      this.#tail = (this.#tail + 1) & 0xffff;
      this.#supplied++;
    }
    Atomics.store(this.#shorts, TAIL_AT, this.#tail);
  }

  /** A completion said that the kernel put data into `buffer`: it is the engine's now. */
  consumed(buffer: number): void {
    this.#supplied--;
    assertShared(
      this.#supplied >= 0 && this.#used[buffer] === 1,
      'the kernel uses what it was given',
    );
  }

  /** The kernel found its ring empty: from now on it gets more, as long as there are free ones. */
  ranEmpty(): void {
    if (this.#supplied === 0) {
      this.#supplyTarget = Math.min(this.#supplyTarget * 2, this.#maxSupply);
    }
  }

  /** A buffer for the engine's own data, or -1. */
  take(): number {
    return this.#freeCount === 0 ? -1 : this.#pop();
  }

  /** Whoever held `buffer` is done with it. A small one gives its pages back at once. */
  recycle(buffer: number): void {
    assertShared(this.#used[buffer] === 1, `buffer ${buffer} is given back once`);
    this.#used[buffer] = 0;
    if (buffer >= this.count) {
      this.#freeSmall[this.#freeSmallCount++] = buffer;
      discardPages(this.#kernel, this.addressOf(buffer), SMALL_BYTES);
      return;
    }
    this.#free[this.#freeCount++] = buffer;
  }

  /**
   * Gives the pages back of buffers that nobody has used since the last call, except for those of
   * the `warm` ones that would be used first. True when there are free ones that lie still since
   * this call only.
   */
  trim(warm = 0): boolean {
    const cold = this.#freeCount - warm;
    const unused = Math.min(this.#leastFree, cold);
    this.#leastFree = this.#freeCount;
    for (let at = 0; at < cold; at++) {
      const buffer = this.#free[at] ?? 0;
      if (this.#touched[buffer] === 0) continue;
      if (at >= unused) return true;
      this.#touched[buffer] = 0;
      discardPages(this.#kernel, this.addressOf(buffer), this.strideBytes);
    }
    return false;
  }

  /** Gives the memory back; the ring must have been closed before. */
  close(): void {
    releaseMemory(this.#kernel, this.#memory);
    releaseMemory(this.#kernel, this.#ringMemory);
  }

  #pop(): number {
    const buffer = this.#free[--this.#freeCount] ?? 0;
    if (this.#freeCount < this.#leastFree) this.#leastFree = this.#freeCount;
    this.#used[buffer] = 1;
    this.#touched[buffer] = 1;
    return buffer;
  }
}

function register(
  kernel: Kernel,
  ring: Ring,
  memory: MappedMemory,
  count: number,
  group: number,
): Result<void, KernelError> {
  const argument = mapMemory(kernel, BUF_REG_WORDS * 4);
  if (!argument.ok) return argument;
  const words = new Int32Array(argument.value.buffer);
  writeAddress(words, 0, memory.address);
  words[2] = count;
  words[3] = group;
  const answer = ring.register(REGISTER_PBUF_RING, argument.value.address, 1);
  releaseMemory(kernel, argument.value);
  return answer < 0 ? err(kernelError('io_uring_register', answer)) : ok(undefined);
}
