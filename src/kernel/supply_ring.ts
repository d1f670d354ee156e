/**
 * The ring from whose front the kernel picks a buffer when data has come (io_uring_register(2),
 * IORING_REGISTER_PBUF_RING). Buffers are added at its end, and those that are not needed are taken
 * back from there.
 */
import { assertShared } from '../core/assert.js';
import { err, ok, type Result } from '../core/result.js';
import { type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { type MappedMemory, mapMemory, releaseMemory, writeAddress } from './memory.js';
import type { Ring } from './ring.js';
import { BUF_REG_WORDS, REGISTER_PBUF_RING } from './uring_abi.js';

/** struct io_uring_buf: address, length, number and (in entry 0) the ring's tail. */
const ENTRY_BYTES = 16;
/** 16-bit words. */
const TAIL_AT = 7;

/** This many at the front are never taken back, see `withdraw`. */
export const LEAST_SUPPLY = 64;

export class SupplyRing {
  readonly #kernel: Kernel;
  readonly #memory: MappedMemory;
  readonly #entries: Int32Array;
  readonly #shorts: Uint16Array;
  readonly #mask: number;
  #tail = 0;
  #length = 0;

  private constructor(kernel: Kernel, memory: MappedMemory, count: number) {
    this.#kernel = kernel;
    this.#memory = memory;
    this.#entries = new Int32Array(memory.buffer);
    this.#shorts = new Uint16Array(memory.buffer);
    this.#mask = count - 1;
  }

  /** `count`: a power of two; submissions name the ring by `group`. */
  static create(
    kernel: Kernel,
    ring: Ring,
    count: number,
    group: number,
  ): Result<SupplyRing, KernelError> {
    const memory = mapMemory(kernel, count * ENTRY_BYTES);
    if (!memory.ok) return memory;
    const registered = register(kernel, ring, memory.value, count, group);
    if (registered.ok) return ok(new SupplyRing(kernel, memory.value, count));
    releaseMemory(kernel, memory.value);
    return registered;
  }

  /** Buffers that the kernel has, as far as completions have shown. */
  get length(): number {
    return this.#length;
  }

  /** Adds `buffer`, whose `bytes` begin at `address`; the kernel sees it after `publish`. */
  add(buffer: number, address: number, bytes: number): void {
    const at = (this.#tail & this.#mask) * 4;
    writeAddress(this.#entries, at, address);
    this.#entries[at + 2] = bytes;
    // Not as a word: in entry 0 its upper half is the tail.
    this.#shorts[at * 2 + 6] = buffer;
    this.#tail = (this.#tail + 1) & 0xffff;
    this.#length++;
  }

  publish(): void {
    Atomics.store(this.#shorts, TAIL_AT, this.#tail);
  }

  /** A completion named a buffer. */
  consumed(): void {
    this.#length--;
    assertShared(this.#length >= 0, 'the kernel uses what it was given');
  }

  /**
   * Takes the last of the ring back, so that at most `length` are left, LEAST_SUPPLY at least; all
   * completions must have been seen. The kernel reads the tail whenever it picks, and it picks
   * while this thread is inside io_uring_enter(2) only: DEFER_TASKRUN leaves all its work to that.
   * The one exception, a receive that was handed to a helper thread because its poll was woken 128
   * times for nothing, picks from the front, where LEAST_SUPPLY are left.
   */
  withdraw(length: number, taken: (buffer: number) => void): void {
    const left = Math.max(length, LEAST_SUPPLY);
    if (this.#length <= left) return;
    const from = this.#tail - (this.#length - left);
    // A buffer must not be written to before the kernel cannot pick it any more.
    Atomics.store(this.#shorts, TAIL_AT, from & 0xffff);
    for (let at = from; at < this.#tail; at++) taken(this.#shorts[(at & this.#mask) * 8 + 6] ?? 0);
    this.#tail = from & 0xffff;
    this.#length = left;
  }

  /** Gives the memory back; the io_uring must have been closed before. */
  close(): void {
    releaseMemory(this.#kernel, this.#memory);
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
