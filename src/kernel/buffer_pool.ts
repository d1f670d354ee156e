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
import { ok, type Result } from '../core/result.js';
import type { KernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { discardPages, type MappedMemory, mapMemory, PAGE_BYTES, releaseMemory } from './memory.js';
import type { Ring } from './ring.js';
import { LEAST_SUPPLY, SupplyRing } from './supply_ring.js';

/** The share of the buffers that is never put into the ring, so that `take` finds some. */
const TAKE_SHARE = 1 / 8;
/** After `settle` the ring has this many times the buffers that a turn has needed. */
const SUPPLY_FACTOR = 2;

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
  readonly #ring: SupplyRing;
  readonly #free: Int32Array;
  /** Numbers of small buffers that hold nothing. */
  readonly #freeSmall: Int32Array;
  #freeSmallCount: number;
  /** How many small buffers there are. */
  readonly small: number;
  /** 1: the buffer is in use (by the kernel or the engine). */
  readonly #used: Uint8Array;
  #freeCount: number;
  /** The fewest free ones since the last `trim`: as many at the stack's bottom were not used. */
  #leastFree: number;
  /** Where `trim` stopped, and the end of those that it may give back. */
  #trimAt = 0;
  #trimEnd = 0;
  /** 1: the buffer was handed out since its pages were given back. */
  readonly #touched: Uint8Array;
  /** How many `supply` leaves in the ring; doubles whenever the kernel found it empty. */
  #supplyTarget: number;
  /** Buffers in the ring after the last `supply`. */
  #toppedUp = 0;
  /** The most that the kernel has used between two of them, since the last `settle`. */
  #mostUsed = 0;
  readonly #maxSupply: number;
  /** How many free ones are left for `take`. */
  readonly #reserve: number;

  private constructor(
    kernel: Kernel,
    options: BufferPoolOptions,
    memory: MappedMemory,
    ring: SupplyRing,
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
    this.#ring = ring;
    this.#free = Int32Array.from({ length: count }, (_, index) => count - 1 - index);
    this.#used = new Uint8Array(count + small);
    this.#freeSmall = Int32Array.from({ length: small }, (_, index) => count + small - 1 - index);
    this.#freeSmallCount = small;
    this.#freeCount = count;
    this.#leastFree = count;
    this.#touched = new Uint8Array(count);
    this.#reserve = Math.floor(count * TAKE_SHARE);
    this.#maxSupply = count - Math.max(1, Math.floor(count * TAKE_SHARE));
    this.#supplyTarget = Math.min(LEAST_SUPPLY, this.#maxSupply);
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
    const supply = SupplyRing.create(kernel, ring, count, group);
    if (supply.ok) return ok(new BufferPool(kernel, options, memory.value, supply.value));
    releaseMemory(kernel, memory.value);
    return supply;
  }

  /** Buffers that `take` can hand out. */
  get free(): number {
    return this.#freeCount;
  }

  /** Buffers without data that receives may use: in the kernel's ring, or on their way there. */
  get available(): number {
    return this.#ring.length + Math.max(0, this.#freeCount - this.#reserve);
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

  /** True when large buffers run short: data that stands still has to make room. */
  get short(): boolean {
    return this.available < this.count * SCARCE_BELOW;
  }

  /** True when readers should take little at a time: more standing bytes could use up the rest. */
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
    const ring = this.#ring;
    const used = this.#toppedUp - ring.length;
    if (used > this.#mostUsed) this.#mostUsed = used;
    this.#toppedUp = ring.length;
    if (ring.length >= this.#supplyTarget || this.#freeCount <= this.#reserve) return;
    // What one turn can receive for targets that take nothing is bounded by what stands there.
    const target = this.scarce ? Math.min(LEAST_SUPPLY, this.#supplyTarget) : this.#supplyTarget;
    while (ring.length < target && this.#freeCount > this.#reserve) {
      const buffer = this.#pop();
      ring.add(buffer, this.addressOf(buffer), this.bufferBytes);
    }
    this.#toppedUp = ring.length;
    ring.publish();
  }

  /** A completion said that the kernel put data into `buffer`: it is the engine's now. */
  consumed(buffer: number): void {
    this.#ring.consumed();
    assertShared(this.#used[buffer] === 1, 'the kernel uses what it was given');
  }

  /** The kernel found its ring empty: from now on it gets more, as long as there are free ones. */
  ranEmpty(): void {
    if (this.#ring.length === 0) {
      this.#supplyTarget = Math.min(this.#supplyTarget * 2, this.#maxSupply);
    }
  }

  /**
   * Takes back what the kernel has needed in no turn since the last call, for `trim` to find; all
   * completions must have been seen. True when the ring may have to be looked at again.
   */
  settle(): boolean {
    const needed = Math.max(SUPPLY_FACTOR * this.#mostUsed, LEAST_SUPPLY);
    this.#mostUsed = 0;
    if (needed < this.#supplyTarget) {
      this.#supplyTarget = needed;
      this.#ring.withdraw(needed, (buffer) => this.#pushBelow(buffer));
      this.#toppedUp = this.#ring.length;
    }
    return this.#supplyTarget > LEAST_SUPPLY;
  }

  /** A buffer for the engine's own data, or -1. */
  take(): number {
    return this.#freeCount === 0 ? -1 : this.#pop();
  }

  /** The holder of `buffer` is done with it. A small one gives its pages back at once. */
  recycle(buffer: number): void {
    assertShared(this.#used[buffer] === 1, 'a buffer is given back once');
    this.#used[buffer] = 0;
    if (buffer >= this.count) {
      this.#freeSmall[this.#freeSmallCount++] = buffer;
      discardPages(this.#kernel, this.addressOf(buffer), SMALL_BYTES);
      return;
    }
    this.#free[this.#freeCount++] = buffer;
  }

  /**
   * Gives the pages back of buffers that were not used since the last call, except for those of the
   * `warm` ones that would be used first; of `most` of them, and `trimOn` goes on. True when there
   * are more free ones, unused only since this call.
   */
  trim(warm = 0, most = this.count): boolean {
    const cold = this.#freeCount - warm;
    this.#trimAt = 0;
    this.#trimEnd = Math.min(this.#leastFree, cold);
    this.#leastFree = this.#freeCount;
    this.trimOn(most);
    for (let at = Math.max(0, this.#trimEnd); at < cold; at++) {
      if (this.#touched[this.#free[at] ?? 0] === 1) return true;
    }
    return false;
  }

  /** Gives back what the last `trim` has left, as far as it still lies still; false: nothing. */
  trimOn(most: number): boolean {
    const end = Math.min(this.#trimEnd, this.#leastFree);
    for (let left = most; this.#trimAt < end; this.#trimAt++) {
      const buffer = this.#free[this.#trimAt] ?? 0;
      if (this.#touched[buffer] === 0) continue;
      if (left-- === 0) return true;
      this.#discard(buffer);
    }
    return false;
  }

  /** Gives the memory back; the ring must have been closed before. */
  close(): void {
    releaseMemory(this.#kernel, this.#memory);
    this.#ring.close();
  }

  /** A page that it shares with a neighbour goes, too, if nothing of the neighbour is in it. */
  #discard(buffer: number): void {
    this.#touched[buffer] = 0;
    const before = buffer > 0 && this.#touched[buffer - 1] === 0 ? PAGE_BYTES : 0;
    const behind = buffer + 1 < this.count && this.#touched[buffer + 1] === 0 ? PAGE_BYTES : 0;
    const from = this.addressOf(buffer) - before;
    discardPages(this.#kernel, from, before + this.strideBytes + behind);
  }

  /** Below those that are free: they are used again before it. */
  #pushBelow(buffer: number): void {
    this.#used[buffer] = 0;
    this.#free.copyWithin(1, 0, this.#freeCount++);
    this.#free[0] = buffer;
    this.#leastFree++;
  }

  #pop(): number {
    const buffer = this.#free[--this.#freeCount] ?? 0;
    if (this.#freeCount < this.#leastFree) this.#leastFree = this.#freeCount;
    this.#used[buffer] = 1;
    this.#touched[buffer] = 1;
    return buffer;
  }
}
