/**
 * What each worker has of the kernel, in shared memory. Descriptors and mapped memory belong to the
 * process: a thread that ends in the middle of its work leaves its connections open, and its peers
 * waiting for ever. With this account another thread can give everything back in its place.
 *
 * Bells are not in it: a thread may be about to ring one, and must not write into whatever has got
 * its number since. A close that was handed to a ring is not either, whether the kernel has seen it
 * or not: rather is a descriptor lost than that of somebody else closed.
 */
import type { WorkerId } from '../core/brand.js';
import { MAX_WORKERS } from '../core/limits.js';
import { adoptDescriptor, closeDescriptor, F_DUPFD_CLOEXEC } from './descriptor.js';
import type { Kernel, Libc } from './foreign.js';
import { releaseMemory } from './memory.js';
import { SO_LINGER, SOL_SOCKET } from './sockets.js';
import { SYS_IO_URING_SETUP } from './uring_abi.js';

/** fs.nr_open as Linux has it. Higher numbers are not accounted for. */
const MAX_DESCRIPTORS = 1_048_576;
/** An engine has about twelve, all from its start; further ones are not accounted for. */
const MAX_MAPPINGS = 64;
const MAPPINGS_AT = MAX_DESCRIPTORS;
const COUNTS_AT = MAPPINGS_AT + MAX_WORKERS * MAX_MAPPINGS * 2 * 8;

/** A descriptor's byte: its holder, plus one, and whether it is a connection of its own. */
const HOLDER_MASK = 0x7f;
const CONNECTION = 0x80;
/** struct linger: on, 0 seconds: closing resets (socket(7)). */
const RESET = new Uint8Array(new Int32Array([1, 0]).buffer);

export function createHoldingsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(COUNTS_AT + MAX_WORKERS * 4);
}

export class Holdings {
  /** By descriptor; 0: nobody's. One writer a cell, the thread that holds the descriptor. */
  readonly #descriptors: Uint8Array;
  /** By worker: addresses and sizes in bytes, by turns. */
  readonly #mappings: Float64Array;
  /** By worker. */
  readonly #counts: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#descriptors = new Uint8Array(memory, 0, MAX_DESCRIPTORS);
    this.#mappings = new Float64Array(memory, MAPPINGS_AT, MAX_WORKERS * MAX_MAPPINGS * 2);
    this.#counts = new Int32Array(memory, COUNTS_AT, MAX_WORKERS);
  }

  /** `kernel` for the thread of `worker`: what is opened and mapped through it is accounted for. */
  through(kernel: Kernel, worker: WorkerId): Kernel {
    const { libc } = kernel;
    const held = (fd: number, kind: number): number => {
      if (fd >= 0) this.#descriptors[fd] = (worker + 1) | kind;
      return fd;
    };
    const closing = (fd: number): void => {
      this.#descriptors[fd] = 0;
    };
    const accounted: Partial<Libc> = {
      socket: (domain, type, protocol) => held(libc.socket(domain, type, protocol), CONNECTION),
      accept4At: (fd, address, size, flags) =>
        held(libc.accept4At(fd, address, size, flags), CONNECTION),
      fcntl: (fd, command, argument) => {
        const answer = libc.fcntl(fd, command, argument);
        return command === F_DUPFD_CLOEXEC ? held(answer, 0) : answer;
      },
      pipe2: (ends, flags) => {
        const answer = libc.pipe2(ends, flags);
        if (answer === 0) for (const end of ends) held(end, 0);
        return answer;
      },
      syscall: (nr, a, b, c, d, e, f) => {
        const answer = libc.syscall(nr, a, b, c, d, e, f);
        return nr === SYS_IO_URING_SETUP ? held(answer, 0) : answer;
      },
      mmap: (at, bytes, protection, flags, fd, offset) => {
        const address = libc.mmap(at, bytes, protection, flags, fd, offset);
        if (at === 0 && address > 0) this.#mapped(worker, address, bytes);
        return address;
      },
      close: (fd) => {
        closing(fd);
        return libc.close(fd);
      },
    };
    return { ...kernel, closing, libc: { ...libc, ...accounted } };
  }

  /**
   * The thread of `worker` has ended: resets its connections, closes its other descriptors and
   * gives its memory back.
   */
  giveBack(kernel: Kernel, worker: WorkerId): void {
    for (let fd = 0; fd < MAX_DESCRIPTORS; fd++) {
      const entry = this.#descriptors[fd] ?? 0;
      if ((entry & HOLDER_MASK) !== worker + 1) continue;
      this.#descriptors[fd] = 0;
      if ((entry & CONNECTION) !== 0) {
        kernel.libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, RESET, RESET.length);
      }
      closeDescriptor(kernel, adoptDescriptor(fd));
    }
    const first = worker * MAX_MAPPINGS * 2;
    const count = this.#counts[worker] ?? 0;
    for (let at = first; at < first + 2 * count; at += 2) {
      const [address = 0, bytes = 0] = this.#mappings.subarray(at, at + 2);
      releaseMemory(kernel, { address, buffer: kernel.view(address, bytes) });
    }
    this.#counts[worker] = 0;
  }

  #mapped(worker: WorkerId, address: number, bytes: number): void {
    const count = this.#counts[worker] ?? 0;
    if (count === MAX_MAPPINGS) return;
    this.#mappings.set([address, bytes], (worker * MAX_MAPPINGS + count) * 2);
    this.#counts[worker] = count + 1;
  }
}
