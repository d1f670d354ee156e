/**
 * Memory that the kernel and JavaScript share: mapped, so that it never moves, and of a known
 * address. It is never unmapped, because a stale typed array would then crash the process; what is
 * given back is replaced by empty pages at the same place (mmap(2), MAP_FIXED), which frees the
 * pages, and a ring with them, and costs address space only.
 */
import { assert } from '../core/assert.js';
import { err, ok, type Result } from '../core/result.js';
import type { Descriptor } from './descriptor.js';
import { type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';

/** <asm-generic/mman-common.h> */
const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_POPULATE = 0x8000;
const MADV_DONTNEED = 4;

/** No architecture that Node.js runs on has smaller pages; with larger ones less is given back. */
export const PAGE_BYTES = 4096;

export interface MappedMemory {
  /** Below 2^47, so exact as a number. */
  readonly address: number;
  readonly buffer: ArrayBuffer;
}

/** `bytes` of zeros; a page costs memory from its first use on. */
export function mapMemory(kernel: Kernel, bytes: number): Result<MappedMemory, KernelError> {
  return map(kernel, 0, bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/** `bytes` of the file or ring behind `fd`, from `offset` on. */
export function mapDescriptor(
  kernel: Kernel,
  fd: Descriptor,
  bytes: number,
  offset: number,
): Result<MappedMemory, KernelError> {
  return map(kernel, 0, bytes, MAP_SHARED | MAP_POPULATE, fd, offset);
}

/** Gives the pages back; what still reads there sees zeros. */
export function releaseMemory(kernel: Kernel, memory: MappedMemory): void {
  const flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  const released = map(kernel, memory.address, memory.buffer.byteLength, flags, -1, 0);
  assert(released.ok, 'mapped pages can be replaced by empty ones');
}

/**
 * Gives the pages back that lie wholly within `bytes` at `address`; they cost memory again from
 * their next use on, and hold zeros then (madvise(2)). Mere advice: it may do nothing.
 */
export function discardPages(kernel: Kernel, address: number, bytes: number): void {
  const from = Math.ceil(address / PAGE_BYTES) * PAGE_BYTES;
  const to = Math.floor((address + bytes) / PAGE_BYTES) * PAGE_BYTES;
  if (to > from) kernel.libc.madvise(from, to - from, MADV_DONTNEED);
}

function map(
  kernel: Kernel,
  at: number,
  bytes: number,
  flags: number,
  fd: number,
  offset: number,
): Result<MappedMemory, KernelError> {
  const address = kernel.libc.mmap(at, bytes, PROT_READ_WRITE, flags, fd, offset);
  if (address < 0) return err(kernelError('mmap', address));
  assert(Number.isSafeInteger(address) && address > 0, 'an address is an exact number');
  return ok({ address, buffer: kernel.view(address, bytes) });
}

/**
 * An address as two 32-bit words. Beyond 2^31 it is a number that costs an object wherever it is
 * handed over: what each message needs is handed over in words.
 */
export const lowWord = (address: number): number => address | 0;
export const highWord = (address: number): number => Math.floor(address / 2 ** 32);

/** A 64-bit value below 2^53 at word `at`. */
export function writeAddress(words: Int32Array, at: number, value: number): void {
  words[at] = lowWord(value);
  words[at + 1] = highWord(value);
}
