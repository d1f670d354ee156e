/**
 * One io_uring in use (io_uring_enter(2)). Submissions are written and completions are read without
 * a call; only `enter` is one. The ring belongs to the thread that opened it (SINGLE_ISSUER).
 */
import { assertShared } from '../core/assert.js';
import { err, ok, type Result } from '../core/result.js';
import { closeDescriptor, type Descriptor } from './descriptor.js';
import { ERRNO, errnoName, type KernelError, kernelError } from './errno.js';
import type { Kernel } from './foreign.js';
import { type MappedMemory, mapMemory, releaseMemory, writeAddress } from './memory.js';
import { param, type RingSetup, setUpRing } from './ring_setup.js';
import type { SubmissionPlaces } from './untaken_closes.js';
import * as abi from './uring_abi.js';

/** Tries to submit without any progress, after which the kernel counts as broken. */
const MAX_IDLE_SUBMITS = 1_000_000;

/** The argument of io_uring_enter(2) stands at 0, its struct __kernel_timespec behind it. */
const TIMESPEC_AT = 32;
const ARGUMENT_BYTES = TIMESPEC_AT + 16;
/** The kernel's sigset_t: 64 signals. */
const SIGSET_BYTES = 8;

/** The argument of io_uring_register(2) stands behind both. */
const UPDATE_AT = ARGUMENT_BYTES;

const NOP_MARK = 0x600d_cafe;

export class Ring {
  readonly fd: Descriptor;
  /** Submission entries, SQE_WORDS words each; `claim` says where the next one begins. */
  readonly entries: Int32Array;
  /** Completion entries, CQE_WORDS words each. */
  readonly completions: Int32Array;
  /** Completion `n` stands at entry `n & completionMask`. */
  readonly completionMask: number;

  readonly #kernel: Kernel;
  readonly #setup: RingSetup;
  readonly #argument: MappedMemory;
  readonly #argumentWords: Int32Array;
  /** Knows its pointer from its scope: one read from a field would be boxed anew at each entry. */
  readonly #enterAndWait: () => number;
  readonly #queues: Int32Array;
  readonly #sqTailAt: number;
  readonly #sqFlagsAt: number;
  readonly #cqHeadAt: number;
  readonly #cqTailAt: number;
  readonly #sqMask: number;
  /** What io_uring_enter(2) is called with: the place of the registered ring, or its descriptor. */
  #entry: number;
  #entryFlags = 0;
  /** Entries claimed since the start, modulo 2^32, as the kernel counts. */
  #tail = 0;
  /** Entries claimed and not yet taken by the kernel. */
  #queued = 0;

  private constructor(kernel: Kernel, setup: RingSetup, argument: MappedMemory) {
    const at = (field: keyof typeof abi.PARAMS): number => param(setup.params, field);
    this.fd = setup.fd;
    this.#entry = setup.fd;
    this.#kernel = kernel;
    this.#setup = setup;
    this.#argument = argument;
    this.#argumentWords = new Int32Array(argument.buffer);
    this.#queues = new Int32Array(setup.queues.buffer);
    this.entries = new Int32Array(setup.entries.buffer);
    this.#sqTailAt = at('sqTail') >> 2;
    this.#sqFlagsAt = at('sqFlags') >> 2;
    this.#cqHeadAt = at('cqHead') >> 2;
    this.#cqTailAt = at('cqTail') >> 2;
    this.#sqMask = at('sqEntries') - 1;
    this.completionMask = at('cqEntries') - 1;
    const first = at('cqCqes') >> 2;
    this.completions = this.#queues.subarray(first, first + at('cqEntries') * abi.CQE_WORDS);
    // The submission queue's indirection is not used: entry i stands at place i.
    const array = at('sqArray') >> 2;
    for (let index = 0; index <= this.#sqMask; index++) this.#queues[array + index] = index;
    const { address } = argument;
    const waits = abi.ENTER_GETEVENTS | abi.ENTER_EXT_ARG;
    this.#enterAndWait = () => this.#enter(1, waits, address, abi.GETEVENTS_ARG_BYTES);
    const timespec = address + TIMESPEC_AT;
    this.#argumentWords[2] = SIGSET_BYTES;
    writeAddress(this.#argumentWords, 4, timespec);
  }

  /**
   * Sizes are rounded up to powers of two. Fails where io_uring, or a part of it, is not allowed.
   */
  static open(kernel: Kernel, entries: number, completions: number): Result<Ring, KernelError> {
    const argument = mapMemory(kernel, UPDATE_AT + abi.RSRC_UPDATE_WORDS * 4);
    if (!argument.ok) return argument;
    const setup = setUpRing(kernel, entries, completions);
    if (!setup.ok) {
      releaseMemory(kernel, argument.value);
      return setup;
    }
    const ring = new Ring(kernel, setup.value, argument.value);
    ring.#registerItself();
    const answer = ring.#roundTrip();
    if (answer === 0) {
      kernel.ringOpened?.(ring.#places());
      return ok(ring);
    }
    ring.close();
    return err(kernelError('io_uring_enter', answer));
  }

  /** The entry that was filled last closes `fd`, also if this thread ends before `enter`. */
  closing(fd: number): void {
    Atomics.store(this.#queues, this.#sqTailAt, this.#tail);
    this.#kernel.closing?.(fd);
  }

  /** Where the next entry begins in `entries`; all its SQE_WORDS words must be written. */
  claim(): number {
    if (this.#queued > this.#sqMask) this.submit();
    const at = (this.#tail & this.#sqMask) * abi.SQE_WORDS;
    this.#tail = (this.#tail + 1) | 0;
    this.#queued++;
    return at;
  }

  /** Entries that the kernel has not taken yet. */
  get queued(): number {
    return this.#queued;
  }

  /** True while completions wait inside the kernel because their queue was full. */
  get overflown(): boolean {
    return (Atomics.load(this.#queues, this.#sqFlagsAt) & abi.SQ_CQ_OVERFLOW) !== 0;
  }

  /** Hands all entries over without looking for completions. */
  submit(): void {
    Atomics.store(this.#queues, this.#sqTailAt, this.#tail);
    for (let tries = 0; this.#queued > 0; tries++) {
      assertShared(tries < MAX_IDLE_SUBMITS, 'the kernel takes submissions');
      this.#taken(this.#enter(0, 0, 0, 0));
    }
  }

  /**
   * Hands all entries over and returns when a completion is there or `waitMs` are over; 0 does not
   * block. A kernel that is short of memory may take fewer entries: `queued` is above 0 then.
   */
  enter(waitMs: number): void {
    Atomics.store(this.#queues, this.#sqTailAt, this.#tail);
    if (waitMs <= 0) {
      this.#taken(this.#enter(0, abi.ENTER_GETEVENTS, 0, 0));
      return;
    }
    const seconds = Math.floor(waitMs / 1000);
    const word = TIMESPEC_AT / 4;
    this.#argumentWords[word] = seconds;
    this.#argumentWords[word + 2] = Math.floor((waitMs - seconds * 1000) * 1e6);
    this.#taken(this.#enterAndWait());
  }

  /** True when the next `enter` finds something to do, of what was submitted before. */
  get hasWork(): boolean {
    return (Atomics.load(this.#queues, this.#sqFlagsAt) & abi.SQ_TASKRUN) !== 0;
  }

  /** How many completions there have been, modulo 2^32. */
  completionTail(): number {
    return Atomics.load(this.#queues, this.#cqTailAt);
  }

  /** All completions before number `head` have been read. */
  completionsRead(head: number): void {
    Atomics.store(this.#queues, this.#cqHeadAt, head);
  }

  /** io_uring_register(2); returns 0 or more, or the negative errno. */
  register(operation: number, argument: number, count: number): number {
    const { libc } = this.#kernel;
    return libc.syscall(abi.SYS_IO_URING_REGISTER, this.fd, operation, argument, count, 0, 0);
  }

  /** Cancels what is in flight and frees the ring. */
  close(): void {
    this.#unregisterItself();
    closeDescriptor(this.#kernel, this.fd);
    releaseMemory(this.#kernel, this.#setup.queues);
    releaseMemory(this.#kernel, this.#setup.entries);
    releaseMemory(this.#kernel, this.#argument);
  }

  #places(): SubmissionPlaces {
    const { params, queues, entries } = this.#setup;
    return {
      queues: queues.address,
      queuesBytes: queues.buffer.byteLength,
      headWord: param(params, 'sqHead') >> 2,
      tailWord: this.#sqTailAt,
      entries: entries.address,
      count: this.#sqMask + 1,
    };
  }

  #enter(minimum: number, flags: number, argument: number, bytes: number): number {
    return this.#kernel.libc.syscall(
      abi.SYS_IO_URING_ENTER,
      this.#entry,
      this.#queued,
      minimum,
      flags | this.#entryFlags,
      argument,
      bytes,
    );
  }

  /**
   * Spares each entry the search for the descriptor, which costs an atomic operation where there
   * are threads (io_uring_register(2), IORING_REGISTER_RING_FDS). It holds for this thread only.
   */
  #registerItself(): void {
    const place = this.#updateRing(abi.REGISTER_RING_FDS, abi.ANY_PLACE);
    if (place === null) return;
    this.#entry = place;
    this.#entryFlags = abi.ENTER_REGISTERED_RING;
  }

  /** A registered ring would live on until its thread ends. */
  #unregisterItself(): void {
    if (this.#entryFlags !== 0) this.#updateRing(abi.UNREGISTER_RING_FDS, this.#entry);
    this.#entry = this.fd;
    this.#entryFlags = 0;
  }

  /** The place that was taken or freed; null when the kernel refused. */
  #updateRing(operation: number, place: number): number | null {
    const words = this.#argumentWords;
    const at = UPDATE_AT / 4;
    words[at] = place;
    words[at + 1] = 0;
    words[at + 2] = this.fd;
    words[at + 3] = 0;
    const answer = this.register(operation, this.#argument.address + UPDATE_AT, 1);
    return answer === 1 ? (words[at] ?? place) : null;
  }

  #taken(answer: number): void {
    if (answer >= 0) {
      this.#queued -= answer;
      return;
    }
    // io_uring_enter(2): interrupted, time is over, no memory for requests, completions waiting.
    const passing =
      answer === -ERRNO.EINTR ||
      answer === -ERRNO.ETIME ||
      answer === -ERRNO.EAGAIN ||
      answer === -ERRNO.EBUSY;
    if (!passing) assertShared(false, `io_uring_enter(2) serves a ring: ${errnoName(answer)}`);
  }

  /**
   * Sends one NOP through: proves that entries are where they are believed to be, and that the ring
   * can not only be set up but entered. Returns 0 or the negative errno.
   */
  #roundTrip(): number {
    const at = this.claim();
    this.entries.fill(0, at, at + abi.SQE_WORDS);
    this.entries[at + 8] = NOP_MARK;
    this.entries[at + 9] = ~NOP_MARK;
    Atomics.store(this.#queues, this.#sqTailAt, this.#tail);
    const answer = this.#enter(1, abi.ENTER_GETEVENTS, 0, 0);
    if (answer < 0) return answer;
    this.#taken(answer);
    assertShared(
      this.completionTail() === 1 &&
        this.completions[0] === NOP_MARK &&
        this.completions[1] === ~NOP_MARK &&
        this.completions[2] === 0,
      'struct io_uring_sqe and io_uring_cqe are laid out as expected',
    );
    this.completionsRead(1);
    return 0;
  }
}
