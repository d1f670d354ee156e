/**
 * The state of all TCP pairs of one worker, in typed arrays by pair or by direction: a relayed
 * message touches no object. Pair p has two directions: 2p moves the client's bytes, 2p + 1 the
 * backend's. Direction d reads from socket d and writes to socket d ^ 1, so sockets are numbered
 * like the directions that read from them.
 */
import { assertShared, escalate } from '../../core/assert.js';
import { CQE_F_MORE } from '../../kernel/uring_abi.js';
import type { PairEnd } from '../../session/tcp_port.js';
import type { CompletionHandler } from './loop.js';
import { GENERATION_MASK } from './user_data.js';

/** The number is free. */
export const FREE = 0;
/** Accepted; the relay has not begun. */
export const EARLY = 1;
export const RELAY = 2;
/** `close(flush)` was called: nothing more is read, what was read is delivered. */
export const FLUSH = 3;
/** FIN was sent both ways; what still comes is read and thrown away. */
export const LINGER = 4;
/** The source was reset: waits until the target has acknowledged everything. */
export const DRAIN = 5;
/** Over: waits until nothing is in flight, and is closed then. */
export const ENDING = 6;

/** The source of a direction can be read. */
export const OPEN = 0;
/** The source's FIN has been read. */
export const ENDED = 1;
/** The source was reset, or writing to it failed. */
export const BROKEN = 2;
/** Nothing shall be read any more. */
export const STOPPED = 3;

export const NONE = -1;

export class PairTable {
  readonly capacity: number;
  // By pair.
  readonly lastActivityMs: Float64Array;
  /** Bytes of the client handed on to the backend's socket, and the other way round. */
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  readonly phase: Uint8Array;
  readonly generation: Int32Array;
  /** Operations of the pair that will still complete; its number is not free before 0. */
  readonly inFlight: Int32Array;
  /** The slot of the dial under way, or NONE. */
  readonly dial: Int32Array;
  /** The direction whose FIN came first, or NONE. */
  readonly firstFin: Int32Array;
  readonly ends: (PairEnd | undefined)[] = [];
  // By direction.
  readonly fd: Int32Array;
  /** OPEN, ENDED, BROKEN or STOPPED. */
  readonly source: Uint8Array;
  /** 1: FIN was sent to the target. */
  readonly finished: Uint8Array;

  /** Where what breaks in dealing with one pair goes; the port sets it. */
  broken: (pair: number, error: unknown) => void = (_, error) => escalate(error);
  /** Pairs that are ENDING with nothing in flight: to be closed at the end of the turn. */
  readonly ready: number[] = [];

  readonly #free: Int32Array;
  #freeCount: number;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.lastActivityMs = new Float64Array(capacity);
    this.bytesIn = new Float64Array(capacity);
    this.bytesOut = new Float64Array(capacity);
    this.phase = new Uint8Array(capacity);
    this.generation = new Int32Array(capacity);
    this.inFlight = new Int32Array(capacity);
    this.dial = new Int32Array(capacity).fill(NONE);
    this.firstFin = new Int32Array(capacity);
    this.fd = new Int32Array(2 * capacity).fill(NONE);
    this.source = new Uint8Array(2 * capacity);
    this.finished = new Uint8Array(2 * capacity);
    this.#free = Int32Array.from({ length: capacity }, (_, index) => capacity - 1 - index);
    this.#freeCount = capacity;
  }

  get free(): number {
    return this.#freeCount;
  }

  /** The number that `allocate` will return: the one freed last comes first. */
  get next(): number {
    assertShared(this.#freeCount > 0, 'a free pair is asked for when there is one');
    return this.#free[this.#freeCount - 1] ?? 0;
  }

  /** A free number with fresh state: EARLY. */
  allocate(clientFd: number, nowMs: number): number {
    const pair = this.next;
    this.#freeCount--;
    assertShared(
      this.phase[pair] === FREE && this.inFlight[pair] === 0,
      'a free pair does nothing',
    );
    this.phase[pair] = EARLY;
    this.lastActivityMs[pair] = nowMs;
    this.firstFin[pair] = NONE;
    this.bytesIn[pair] = 0;
    this.bytesOut[pair] = 0;
    for (const direction of [2 * pair, 2 * pair + 1]) {
      this.source[direction] = OPEN;
      this.finished[direction] = 0;
    }
    this.fd[2 * pair] = clientFd;
    return pair;
  }

  /** The number may be used again. Its sockets must have been closed. */
  release(pair: number): void {
    assertShared(
      this.phase[pair] === ENDING && this.inFlight[pair] === 0,
      'an ended pair is released',
    );
    assertShared(
      this.fd[2 * pair] === NONE && this.fd[2 * pair + 1] === NONE && this.dial[pair] === NONE,
      'a released pair holds no descriptor',
    );
    this.phase[pair] = FREE;
    this.ends[pair] = undefined;
    this.generation[pair] = ((this.generation[pair] ?? 0) + 1) & GENERATION_MASK;
    this.#free[this.#freeCount++] = pair;
  }

  generationOf(direction: number): number {
    return this.generation[direction >> 1] ?? 0;
  }

  fdOf(socket: number): number {
    return this.fd[socket] ?? NONE;
  }

  /** One more operation of `direction`'s pair is in flight. */
  begin(direction: number): void {
    const pair = direction >> 1;
    this.inFlight[pair] = (this.inFlight[pair] ?? 0) + 1;
  }

  /** An operation of `direction`'s pair is over. */
  done(direction: number): void {
    const pair = direction >> 1;
    const left = (this.inFlight[pair] ?? 0) - 1;
    assertShared(left >= 0, 'an operation is over once');
    this.inFlight[pair] = left;
    if (left === 0 && this.phase[pair] === ENDING) this.ready.push(pair);
  }

  /** Breaks the invariant unless `generation` is that of the pair's present use. */
  check(direction: number, generation: number): void {
    assertShared(
      this.generation[direction >> 1] === generation && this.phase[direction >> 1] !== FREE,
      'a completion belongs to the present use of its pair',
    );
  }

  /**
   * The handler of a kind of completion whose index is a direction: what breaks in `handler` ends
   * the pair, and the operation is over all the same. Made once per kind.
   */
  walled(handler: CompletionHandler): CompletionHandler {
    return (direction, generation, result, flags) => {
      this.check(direction, generation);
      try {
        handler(direction, generation, result, flags);
      } catch (error) {
        this.broken(direction >> 1, error);
      }
      if ((flags & CQE_F_MORE) === 0) this.done(direction);
    };
  }

  /** What is done later for one pair: what breaks in `task` ends that pair. */
  alone(pair: number, task: () => void): void {
    try {
      task();
    } catch (error) {
      this.broken(pair, error);
    }
  }

  /** `fd` of `socket`, which from now on belongs to the caller. */
  takeDescriptor(socket: number): number {
    const fd = this.fd[socket] ?? NONE;
    this.fd[socket] = NONE;
    return fd;
  }

  /** True while bytes of `direction` are to be moved. */
  relays(direction: number): boolean {
    const phase = this.phase[direction >> 1];
    return phase === RELAY || phase === FLUSH;
  }
}
