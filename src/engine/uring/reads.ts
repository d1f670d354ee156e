/**
 * Receives: one operation at a time a direction, into buffers that the kernel picks when data has
 * come. What becomes of the data depends on the phase of the pair, so each phase has its sink.
 */
import { assert, present } from '../../core/assert.js';
import { type BufferPool, SMALL_BYTES } from '../../kernel/buffer_pool.js';
import { ERRNO } from '../../kernel/errno.js';
import { submitReceive } from '../../kernel/submissions.js';
import {
  CQE_BUFFER_SHIFT,
  CQE_F_BUFFER,
  CQE_F_MORE,
  CQE_F_SOCK_NONEMPTY,
  RECV_MULTISHOT,
  RECVSEND_POLL_FIRST,
} from '../../kernel/uring_abi.js';
import type { Holder } from './ending.js';
import type { Loop, TurnWork } from './loop.js';
import { ENDING, NONE, type PairTable } from './pairs.js';
import { Starved } from './starved.js';
import { RECEIVE, userData } from './user_data.js';

export interface ReadSink {
  /** `bytes` of data stand in `buffer`, which is the sink's now; `flags` are for `arm`. */
  data(direction: number, buffer: number, bytes: number, flags: number): void;
  /** The source has ended: 0 is its FIN, a negative errno its failure. */
  over(direction: number, answer: number): void;
  /** A receive ended without data or end: it was cancelled, or had waited for a buffer. */
  resume(direction: number): void;
}

/** No receive is armed. */
const OFF = 0;
const ARMED = 1;
/** Armed, and asked to end. */
const CANCELLING = 2;
/** Waits for a buffer. */
const STARVED = 3;

export class Reads implements TurnWork, Holder {
  /** By phase of the pair. */
  readonly sinks: ReadSink[] = [];

  readonly #loop: Loop;
  readonly #pairs: PairTable;
  readonly #pool: BufferPool;
  readonly #state: Uint8Array;
  /** Directions that wait for a buffer; one that stopped waiting is skipped. */
  readonly #starved: Starved<number>;

  constructor(loop: Loop, pairs: PairTable, pool: BufferPool) {
    this.#loop = loop;
    this.#pairs = pairs;
    this.#pool = pool;
    this.#starved = new Starved(pool);
    this.#state = new Uint8Array(2 * pairs.capacity);
    loop.on(
      RECEIVE,
      pairs.walled((direction, _, result, flags) => this.#received(direction, result, flags)),
      (direction, generation) =>
        pairs.generationOf(direction) === generation && this.#state[direction] === CANCELLING,
    );
    loop.add(this);
  }

  /** True when no receive is armed or waits for a buffer. */
  idle(direction: number): boolean {
    return this.#state[direction] === OFF;
  }

  /**
   * Arms one receive of at most `limitBytes` (0: a whole buffer). `flags` are those of the
   * direction's last completion, or 0: a socket that was left empty is waited for before the first
   * attempt.
   */
  arm(direction: number, flags: number, limitBytes: number): void {
    const leftEmpty = (flags & (CQE_F_BUFFER | CQE_F_SOCK_NONEMPTY)) === CQE_F_BUFFER;
    this.#submit(direction, leftEmpty ? RECVSEND_POLL_FIRST : 0, limitBytes);
  }

  /**
   * Receives from now on; but while buffers are scarce once only, and no more than finds a place in
   * a small buffer if the target does not take it.
   */
  begin(direction: number): void {
    if (this.#pool.scarce) this.arm(direction, 0, SMALL_BYTES);
    else this.stream(direction);
  }

  /**
   * Receives again and again, until `cancel`: `idle` says whether the kernel has given it up. It is
   * never polled first: where data and a reset had come before both, Linux 6.18 reports the data
   * and never the reset.
   */
  stream(direction: number): void {
    this.#submit(direction, RECV_MULTISHOT, 0);
  }

  /** Ends what is armed, if something is; data that came before is still reported. */
  cancel(direction: number): void {
    if (this.#state[direction] === STARVED) this.#state[direction] = OFF;
    if (this.#state[direction] !== ARMED) return;
    this.#state[direction] = CANCELLING;
    this.#loop.cancel(RECEIVE, direction, this.#pairs.generationOf(direction));
  }

  abandon(pair: number): void {
    this.cancel(2 * pair);
    this.cancel(2 * pair + 1);
  }

  /** `resume` follows when the pool has buffers again. */
  waitForBuffer(direction: number): void {
    assert(this.#state[direction] === OFF, 'a direction waits once');
    this.#state[direction] = STARVED;
    this.#starved.add(direction);
  }

  before(): void {
    this.#pool.supply();
  }

  after(): void {
    if (this.dueMs() > 0) return;
    for (const direction of this.#starved.take()) {
      if (this.#state[direction] !== STARVED) continue;
      this.#state[direction] = OFF;
      this.#resume(direction);
    }
  }

  dueMs(): number {
    return this.#starved.dueMs();
  }

  #submit(direction: number, how: number, limitBytes: number): void {
    assert(this.#state[direction] === OFF, 'one receive a direction');
    this.#state[direction] = ARMED;
    const pairs = this.#pairs;
    pairs.begin(direction);
    submitReceive(
      this.#loop.ring,
      pairs.fdOf(direction),
      this.#pool.group,
      limitBytes,
      how,
      userData(RECEIVE, direction),
      pairs.generationOf(direction),
    );
  }

  #received(direction: number, result: number, flags: number): void {
    const pairs = this.#pairs;
    const state = this.#state[direction];
    assert(state === ARMED || state === CANCELLING, 'only what is armed completes');
    const over = (flags & CQE_F_MORE) === 0;
    if (over) this.#state[direction] = OFF;
    let buffer = NONE;
    if ((flags & CQE_F_BUFFER) !== 0) {
      buffer = flags >>> CQE_BUFFER_SHIFT;
      this.#pool.consumed(buffer);
    }
    if (buffer !== NONE && (result <= 0 || pairs.phase[direction >> 1] === ENDING)) {
      this.#pool.recycle(buffer);
    }
    if (pairs.phase[direction >> 1] !== ENDING) {
      const sink = this.#sink(direction);
      if (result > 0) sink.data(direction, buffer, result, flags);
      else if (result === -ERRNO.ENOBUFS) this.#ranEmpty(direction, state);
      else if (result === -ERRNO.ECANCELED || result === -ERRNO.EINTR) sink.resume(direction);
      else sink.over(direction, result);
    }
  }

  #resume(direction: number): void {
    try {
      this.#sink(direction).resume(direction);
    } catch (error) {
      this.#pairs.broken(direction >> 1, error);
    }
  }

  #ranEmpty(direction: number, state: number): void {
    this.#pool.ranEmpty();
    if (state === CANCELLING) this.#sink(direction).resume(direction);
    else this.waitForBuffer(direction);
  }

  #sink(direction: number): ReadSink {
    const phase = this.#pairs.phase[direction >> 1] ?? 0;
    return present(this.sinks[phase], 'a pair in use has a sink');
  }
}
