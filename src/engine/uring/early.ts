/**
 * What a client does before its relay begins. At most HELD_BYTES are read: enough for the stages,
 * which ask for the first of them, and to notice a reset. A FIN is kept like the bytes before it
 * and passed on behind them: a client may say all that it has to say, or nothing, before its
 * backend is connected.
 */
import { assert } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
import { ERRNO } from '../../kernel/errno.js';
import { POLLERR, submitPollMany } from '../../kernel/submissions.js';
import { CQE_F_MORE } from '../../kernel/uring_abi.js';
import { HELD_BYTES, type TcpEdges } from '../../session/tcp_port.js';
import type { Holder } from './ending.js';
import { FirstBytes } from './first_bytes.js';
import type { Loop } from './loop.js';
import { EARLY, ENDED, NONE, OPEN, type PairTable } from './pairs.js';
import type { ReadSink, Reads } from './reads.js';
import { CLIENT_GONE, userData } from './user_data.js';

/** No poll reports the client's reset; one does; one that was cancelled still may. */
const UNWATCHED = 0;
const WATCHED = 1;
const UNWATCHING = 2;

export interface EarlyParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly pool: BufferPool;
  readonly reads: Reads;
  /** `SIZES.earlyBytes` */
  readonly mostBytes: number;
  readonly edges: () => TcpEdges;
  /** The client is gone: 0 by a FIN while it was read, a negative errno by a reset. */
  readonly gone: (pair: number, answer: number) => void;
  /** The backend, which was asked something, has reset. */
  readonly broke: (pair: number) => void;
}

export class Early implements ReadSink, Holder {
  readonly #parts: EarlyParts;
  readonly #bytes: FirstBytes;
  /** How many bytes of a pair shall be reported; 0: it is not being read. */
  readonly #limit: Uint32Array;
  /** 1: what has come already will be reported soon. */
  readonly #due: Uint8Array;
  readonly #watch: Uint8Array;
  /** The pair whose bytes are being reported. */
  #reported = NONE;

  constructor(parts: EarlyParts) {
    const { capacity } = parts.pairs;
    this.#parts = parts;
    this.#bytes = new FirstBytes(parts.pool, capacity);
    this.#limit = new Uint32Array(capacity);
    this.#due = new Uint8Array(capacity);
    this.#watch = new Uint8Array(capacity);
    parts.reads.sinks[EARLY] = this;
    parts.loop.on(
      CLIENT_GONE,
      parts.pairs.walled((client, _, events, flags) => this.#polled(client, events, flags)),
      (client, generation) =>
        parts.pairs.generationOf(client) === generation && this.#watch[client >> 1] === UNWATCHING,
    );
  }

  /** Begins to read ahead, unless something was decided about the pair already. */
  begin(pair: number): void {
    this.#goOn(pair);
  }

  readEarly(pair: PairId, limitBytes: number): void {
    assert(this.#limit[pair] === 0, 'a reading begins when the one before is done');
    assert(limitBytes > 0 && limitBytes <= HELD_BYTES, 'no more is reported than is held');
    this.#limit[pair] = limitBytes;
    // What has come already is reported soon, as if it came now.
    const { pairs, loop } = this.#parts;
    if (this.#bytes.length(pair) === 0 && pairs.source[2 * pair] === OPEN) {
      this.#goOn(pair);
      return;
    }
    if (this.#due[pair] === 1) return;
    this.#due[pair] = 1;
    const generation = pairs.generation[pair];
    loop.soon(() => {
      if (pairs.generation[pair] === generation) pairs.alone(pair, () => this.#reportSoon(pair));
    });
  }

  #reportSoon(pair: number): void {
    this.#due[pair] = 0;
    this.#report(pair);
    if (this.#isCut(pair)) this.#parts.gone(pair, 0);
    this.#goOn(pair);
  }

  earlyDone(pair: PairId, consumed: number): void {
    this.#limit[pair] = 0;
    this.#bytes.drop(pair, consumed);
    // The code that reports goes on by itself, and knows whether the socket was left empty.
    if (this.#reported !== pair) this.#goOn(pair);
  }

  /** How many bytes stand in the buffer that `takeBuffer` gives. */
  keptBytes(pair: number): number {
    return this.#bytes.keptBytes(pair);
  }

  /** Hands out the buffer with everything that came, if it does stand in one; else NONE. */
  takeBuffer(pair: number): number {
    const buffer = this.#bytes.takeBuffer(pair);
    if (buffer !== NONE) this.#unwatch(pair);
    return buffer;
  }

  /** Hands out a copy of everything that came; the pair's relay begins. */
  take(pair: number): Uint8Array | null {
    this.#unwatch(pair);
    return this.#bytes.take(pair);
  }

  abandon(pair: number): void {
    this.#unwatch(pair);
    this.#bytes.clear(pair);
    this.#limit[pair] = 0;
    this.#due[pair] = 0;
  }

  /** Reads one byte of the backend, and reports it by `asked`. */
  listen(pair: number): void {
    this.#parts.reads.arm(2 * pair + 1, 0, 1);
  }

  data(client: number, buffer: number, bytes: number, flags: number): void {
    const pair = client >> 1;
    if (isBackend(client)) return this.#asked(pair, buffer);
    this.#bytes.add(pair, buffer, bytes);
    this.#report(pair);
    this.#goOn(pair, flags);
  }

  over(client: number, answer: number): void {
    const { pairs } = this.#parts;
    const pair = client >> 1;
    if (isBackend(client)) return this.#unasked(pair, answer);
    if (answer !== 0) {
      this.#parts.gone(pair, answer);
      return;
    }
    pairs.source[client] = ENDED;
    pairs.firstFin[pair] = client;
    // What came before it may be all that is needed, and still wait to be reported.
    this.#report(pair);
    if (this.#isCut(pair)) this.#parts.gone(pair, 0);
    else if (this.#isEarly(pair)) this.#watchFor(pair);
  }

  resume(client: number): void {
    if (isBackend(client)) this.listen(client >> 1);
    else this.#readOn(client >> 1);
  }

  #asked(pair: number, buffer: number): void {
    const { pool, edges } = this.#parts;
    const byte = pool.bytes[buffer * pool.strideBytes] ?? 0;
    pool.recycle(buffer);
    edges().asked(pair as PairId, byte);
  }

  #unasked(pair: number, answer: number): void {
    if (answer !== 0) return this.#parts.broke(pair);
    this.#parts.pairs.source[2 * pair + 1] = ENDED;
    this.#parts.edges().asked(pair as PairId, null);
  }

  #isEarly(pair: number): boolean {
    return this.#parts.pairs.phase[pair] === EARLY;
  }

  #isRead(pair: number): boolean {
    return this.#limit[pair] !== 0 && this.#isEarly(pair);
  }

  /** True when everything up to the FIN was reported, and more is wanted. */
  #isCut(pair: number): boolean {
    const ended = this.#parts.pairs.source[2 * pair] === ENDED;
    return ended && this.#isRead(pair) && this.#due[pair] === 0;
  }

  #report(pair: number): void {
    if (!this.#isRead(pair) || this.#bytes.length(pair) === 0) return;
    const limit = this.#limit[pair] ?? 0;
    const bytes = this.#bytes.view(pair);
    const seen = bytes.length > limit ? bytes.subarray(0, limit) : bytes;
    this.#reported = pair;
    try {
      this.#parts.edges().earlyBytes(pair as PairId, seen);
    } finally {
      this.#reported = NONE;
    }
    if (this.#isRead(pair)) this.#bytes.settle(pair);
  }

  /** What was decided about the pair may let it be read on, if it is not being read. */
  #goOn(pair: number, flags = 0): void {
    const { pairs, reads } = this.#parts;
    const client = 2 * pair;
    const isOpen = this.#isEarly(pair) && pairs.source[client] === OPEN;
    if (isOpen && reads.idle(client)) this.#readOn(pair, flags);
  }

  /** Reads on, or only watches the client when enough is held; `flags` as for `Reads.arm`. */
  #readOn(pair: number, flags = 0): void {
    const { reads } = this.#parts;
    const limit = this.#limit[pair] ?? 0;
    const room = (limit === 0 ? HELD_BYTES : limit) - this.#bytes.length(pair);
    // A reading is bounded by itself, and no waiting client must keep others from being read.
    const spent = limit === 0 && this.#bytes.copiedBytes >= this.#parts.mostBytes;
    if (room <= 0 || spent) this.#watchFor(pair);
    else reads.arm(2 * pair, flags, room);
  }

  /** A poll that goes on: io_uring reports POLLRDHUP and POLLHUP, too, unasked. */
  #watchFor(pair: number): void {
    if (this.#watch[pair] !== UNWATCHED) return;
    this.#watch[pair] = WATCHED;
    const { loop, pairs } = this.#parts;
    const client = 2 * pair;
    pairs.begin(client);
    const low = userData(CLIENT_GONE, client);
    submitPollMany(loop.ring, pairs.fdOf(client), POLLERR, low, pairs.generationOf(client));
  }

  #unwatch(pair: number): void {
    if (this.#watch[pair] !== WATCHED) return;
    this.#watch[pair] = UNWATCHING;
    const { loop, pairs } = this.#parts;
    loop.cancel(CLIENT_GONE, 2 * pair, pairs.generationOf(2 * pair));
  }

  /**
   * Only POLLERR is a reset (tcp(7)): POLLRDHUP is a FIN, and POLLHUP a unix client that has said
   * what it had to say and left.
   */
  #polled(client: number, events: number, flags: number): void {
    const pair = client >> 1;
    const over = (flags & CQE_F_MORE) === 0;
    const wanted = this.#watch[pair] === WATCHED;
    if (over) this.#watch[pair] = UNWATCHED;
    const isReset = events > 0 && (events & POLLERR) !== 0;
    if (wanted && this.#isEarly(pair)) {
      if (isReset) this.#parts.gone(pair, -ERRNO.ECONNRESET);
      else if (over && events > 0) this.#watchFor(pair);
    }
  }
}

function isBackend(direction: number): boolean {
  return (direction & 1) === 1;
}
