/**
 * What each worker has of the kernel, in shared memory. Descriptors and mapped memory belong to the
 * process: a thread that ends in the middle of its work leaves its connections open, and its peers
 * waiting for ever. With this account another thread can give everything back in its place.
 *
 * Bells are not in it: a thread may be about to ring one, and must not write into whatever has got
 * its number since. A descriptor whose close was handed to a ring is the ring's: it is closed here
 * if the kernel has not taken that entry.
 *
 * A thread can be ended from outside at the begin of any function: between the system call that
 * opens a descriptor and its account there must be none.
 */
import type { WorkerId } from '../core/brand.js';
import { MAX_WORKERS } from '../core/limits.js';
import { adoptDescriptor, closeDescriptor, F_DUPFD_CLOEXEC } from './descriptor.js';
import type { Kernel, Libc } from './foreign.js';
import { releaseMemory } from './memory.js';
import { SO_LINGER, SOL_SOCKET } from './sockets.js';
import { type SubmissionPlaces, untakenCloses } from './untaken_closes.js';
import { SYS_IO_URING_SETUP } from './uring_abi.js';

/** fs.nr_open as Linux has it. Higher numbers are not accounted for. */
const MAX_DESCRIPTORS = 1_048_576;
/** An engine has about twelve, all from its start; further ones are not accounted for. */
const MAX_MAPPINGS = 64;
const MAPPINGS_AT = MAX_DESCRIPTORS;
/** By worker its SubmissionPlaces. An engine has one ring: the last one that was opened. */
const RINGS_AT = MAPPINGS_AT + MAX_WORKERS * MAX_MAPPINGS * 2 * 8;
const PLACES = ['queues', 'queuesBytes', 'headWord', 'tailWord', 'entries', 'count'] as const;
const COUNTS_AT = RINGS_AT + MAX_WORKERS * PLACES.length * 8;

/** A descriptor's byte: its holder, plus one, and whether it is a connection of its own. */
const HOLDER_MASK = 0x7f;
const CONNECTION = 0x80;
/** struct linger: on, 0 seconds: closing resets (socket(7)). */
const RESET = new Uint8Array(new Int32Array([1, 0]).buffer);

export function createHoldingsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(COUNTS_AT + MAX_WORKERS * 4);
}

export class Holdings {
  /** By descriptor; 0: not held. One writer per cell, the thread that holds the descriptor. */
  readonly #descriptors: Uint8Array;
  /** By worker: addresses and sizes in bytes, by turns. */
  readonly #mappings: Float64Array;
  /** By worker: its ring's PLACES; `count` is 0 where there is none. */
  readonly #rings: Float64Array;
  /** By worker. */
  readonly #counts: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#descriptors = new Uint8Array(memory, 0, MAX_DESCRIPTORS);
    this.#mappings = new Float64Array(memory, MAPPINGS_AT, MAX_WORKERS * MAX_MAPPINGS * 2);
    this.#rings = new Float64Array(memory, RINGS_AT, MAX_WORKERS * PLACES.length);
    this.#counts = new Int32Array(memory, COUNTS_AT, MAX_WORKERS);
  }

  /** `kernel` for the thread of `worker`: what is opened and mapped through it is accounted for. */
  through(kernel: Kernel, worker: WorkerId): Kernel {
    const { libc } = kernel;
    const descriptors = this.#descriptors;
    const plain = worker + 1;
    const connection = plain | CONNECTION;
    const closing = (fd: number): void => {
      descriptors[fd] = 0;
    };
    const accounted: Partial<Libc> = {
      socket: (domain, type, protocol) => {
        const fd = libc.socket(domain, type, protocol);
        if (fd >= 0) descriptors[fd] = connection;
        return fd;
      },
      accept4At: (listener, address, size, flags) => {
        const fd = libc.accept4At(listener, address, size, flags);
        if (fd >= 0) descriptors[fd] = connection;
        return fd;
      },
      fcntl: (fd, command, argument) => {
        const answer = libc.fcntl(fd, command, argument);
        if (command === F_DUPFD_CLOEXEC && answer >= 0) descriptors[answer] = plain;
        return answer;
      },
      pipe2: (ends, flags) => {
        const answer = libc.pipe2(ends, flags);
        if (answer === 0) {
          descriptors[ends[0] ?? 0] = plain;
          descriptors[ends[1] ?? 0] = plain;
        }
        return answer;
      },
      syscall: (nr, a, b, c, d, e, f) => {
        const answer = libc.syscall(nr, a, b, c, d, e, f);
        if (nr === SYS_IO_URING_SETUP && answer >= 0) descriptors[answer] = plain;
        return answer;
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
    const ringOpened = (ring: SubmissionPlaces): void => this.#ringOpened(worker, ring);
    return { ...kernel, closing, ringOpened, libc: { ...libc, ...accounted } };
  }

  /**
   * The thread of `worker` has ended: resets its connections, closes its other descriptors and
   * gives its memory back.
   */
  giveBack(kernel: Kernel, worker: WorkerId): void {
    this.#closeUntaken(kernel, worker);
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

  #closeUntaken(kernel: Kernel, worker: WorkerId): void {
    const at = worker * PLACES.length;
    const [queues = 0, queuesBytes = 0, headWord = 0, tailWord = 0, entries = 0, count = 0] =
      this.#rings.subarray(at, at + PLACES.length);
    if (count === 0) return;
    this.#rings.fill(0, at, at + PLACES.length);
    const ring = { queues, queuesBytes, headWord, tailWord, entries, count };
    for (const fd of untakenCloses(kernel, ring)) {
      this.#descriptors[fd] = 0;
      closeDescriptor(kernel, adoptDescriptor(fd));
    }
  }

  #ringOpened(worker: WorkerId, ring: SubmissionPlaces): void {
    const at = worker * PLACES.length;
    for (const [index, place] of PLACES.entries()) this.#rings[at + index] = ring[place];
  }

  #mapped(worker: WorkerId, address: number, bytes: number): void {
    const count = this.#counts[worker] ?? 0;
    if (count === MAX_MAPPINGS) return;
    this.#mappings.set([address, bytes], (worker * MAX_MAPPINGS + count) * 2);
    this.#counts[worker] = count + 1;
  }
}
