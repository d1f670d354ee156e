/**
 * What a client sends before its relay begins. At most HELD_BYTES are read: enough to take a PROXY
 * header and to notice a client that went away. The first bytes stay in the buffer that they came
 * in, as mostly they are all that comes and are sent on soon; but clients who wait for a backend
 * may not starve those who have one, so beyond a share of the pool, and behind the first buffer,
 * bytes are copied.
 */
import { assert } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import { MAX_PROXY_HEADER_BYTES } from '../../core/limits.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
import { ERRNO } from '../../kernel/errno.js';
import { POLLERR, POLLHUP, submitPoll } from '../../kernel/submissions.js';
import { HELD_BYTES, type TcpEdges } from '../../session/tcp_port.js';
import type { Holder } from './ending.js';
import type { Loop } from './loop.js';
import { EARLY, ENDED, NONE, OPEN, type PairTable } from './pairs.js';
import type { ReadSink, Reads } from './reads.js';
import { CLIENT_GONE, userData } from './user_data.js';

/** Held for all pairs of a worker; beyond it nothing but headers is read ahead. */
const MAX_HELD_BYTES = 64 * 1_048_576;

/** The share of the pool's buffers that may be kept for early bytes. */
const KEPT_SHARE = 1 / 4;

/** Copied, and kept until the pair's relay begins. */
interface Held {
  bytes: Uint8Array;
  length: number;
}

export interface EarlyParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly pool: BufferPool;
  readonly reads: Reads;
  readonly edges: () => TcpEdges;
  /** The client is gone before a relay began: 0 by FIN, a negative errno by a reset. */
  readonly gone: (pair: number, answer: number) => void;
}

export class Early implements ReadSink, Holder {
  readonly #parts: EarlyParts;
  readonly #held: (Held | undefined)[] = [];
  /** By pair: the buffer with its first bytes, or NONE, and how many they are. */
  readonly #kept: Int32Array;
  readonly #keptBytes: Int32Array;
  #keptCount = 0;
  /** Pairs that are reading a PROXY header. */
  readonly #header: Uint8Array;
  /** 1: a poll tells when the client goes away. */
  readonly #watched: Uint8Array;
  #heldBytes = 0;

  constructor(parts: EarlyParts) {
    this.#parts = parts;
    this.#kept = new Int32Array(parts.pairs.capacity).fill(NONE);
    this.#keptBytes = new Int32Array(parts.pairs.capacity);
    this.#header = new Uint8Array(parts.pairs.capacity);
    this.#watched = new Uint8Array(parts.pairs.capacity);
    parts.reads.sinks[EARLY] = this;
    parts.loop.on(
      CLIENT_GONE,
      (client, generation, result) => this.#hungUp(client, generation, result),
      (client, generation) =>
        parts.pairs.generationOf(client) === generation && this.#watched[client >> 1] === 2,
    );
  }

  /** Begins to read ahead, unless something was decided about the pair already. */
  begin(pair: number): void {
    const { pairs, reads } = this.#parts;
    if (pairs.phase[pair] === EARLY && reads.idle(2 * pair)) this.#readOn(pair);
  }

  readHeader(pair: PairId): void {
    this.#header[pair] = 1;
    this.#copy(pair);
    // Bytes that are there already are reported soon, as if they came now.
    if (this.#held[pair] !== undefined) {
      const generation = this.#parts.pairs.generation[pair];
      this.#parts.loop.soon(() => {
        if (this.#parts.pairs.generation[pair] === generation) this.#report(pair);
      });
    }
  }

  headerDone(pair: PairId, consumed: number): void {
    this.#header[pair] = 0;
    const held = this.#held[pair];
    if (held !== undefined && consumed > 0) {
      held.bytes.copyWithin(0, consumed, held.length);
      held.length -= consumed;
      this.#heldBytes -= consumed;
    }
    const { reads, pairs } = this.#parts;
    const client = 2 * pair;
    if (pairs.source[client] === ENDED && held?.length === 0) this.#soonGone(pair);
    else if (pairs.source[client] === OPEN && reads.idle(client)) this.#readOn(pair);
  }

  /** How many bytes stand in the buffer that `takeBuffer` gives. */
  keptBytes(pair: number): number {
    return this.#keptBytes[pair] ?? 0;
  }

  /** Hands out the buffer with everything that came, if it does stand in one; else NONE. */
  takeBuffer(pair: number): number {
    const buffer = this.#kept[pair] ?? NONE;
    if (buffer === NONE) return NONE;
    this.#kept[pair] = NONE;
    this.#keptCount--;
    this.#unwatch(pair);
    return buffer;
  }

  /** Hands out a copy of everything that came; the pair's relay begins. */
  take(pair: number): Uint8Array | null {
    this.#copy(pair);
    const held = this.#held[pair];
    this.#held[pair] = undefined;
    this.#unwatch(pair);
    if (held === undefined) return null;
    this.#heldBytes -= held.length;
    return held.bytes.subarray(0, held.length);
  }

  abandon(pair: number): void {
    const buffer = this.takeBuffer(pair);
    if (buffer === NONE) this.take(pair);
    else this.#parts.pool.recycle(buffer);
    this.#header[pair] = 0;
  }

  data(client: number, buffer: number, bytes: number, flags: number): void {
    const pair = client >> 1;
    if (this.#mayKeep(pair)) {
      this.#kept[pair] = buffer;
      this.#keptBytes[pair] = bytes;
      this.#keptCount++;
    } else {
      this.#copy(pair);
      this.#appendBuffer(pair, buffer, bytes);
      this.#report(pair);
    }
    if (this.#isEarly(pair) && this.#parts.reads.idle(client)) this.#readOn(pair, flags);
  }

  over(client: number, answer: number): void {
    const { pairs } = this.#parts;
    const pair = client >> 1;
    if (answer !== 0 || this.#length(pair) === 0 || this.#header[pair] === 1) {
      this.#parts.gone(pair, answer);
      return;
    }
    // The client has said everything and waits for an answer: that is no reason to give it up.
    pairs.source[client] = ENDED;
    pairs.firstFin[pair] = client;
  }

  resume(client: number): void {
    this.#readOn(client >> 1);
  }

  #isEarly(pair: number): boolean {
    return this.#parts.pairs.phase[pair] === EARLY;
  }

  #length(pair: number): number {
    const kept = this.#kept[pair] === NONE ? 0 : (this.#keptBytes[pair] ?? 0);
    return kept + (this.#held[pair]?.length ?? 0);
  }

  #mayKeep(pair: number): boolean {
    if (this.#length(pair) > 0 || this.#header[pair] === 1) return false;
    return this.#keptCount < this.#parts.pool.count * KEPT_SHARE;
  }

  /** What is kept in a buffer goes to where the rest is. */
  #copy(pair: number): void {
    const buffer = this.#kept[pair] ?? NONE;
    if (buffer === NONE) return;
    assert(this.#held[pair] === undefined, 'the first bytes are copied first');
    this.#kept[pair] = NONE;
    this.#keptCount--;
    this.#appendBuffer(pair, buffer, this.#keptBytes[pair] ?? 0);
  }

  #appendBuffer(pair: number, buffer: number, bytes: number): void {
    const { pool } = this.#parts;
    const start = buffer * pool.strideBytes;
    this.#append(pair, pool.bytes.subarray(start, start + bytes));
    pool.recycle(buffer);
  }

  #append(pair: number, more: Uint8Array): void {
    const held = this.#held[pair] ?? { bytes: new Uint8Array(more.length), length: 0 };
    const length = held.length + more.length;
    if (length > held.bytes.length) {
      const grown = new Uint8Array(Math.max(length, Math.min(2 * held.bytes.length, HELD_BYTES)));
      grown.set(held.bytes.subarray(0, held.length));
      held.bytes = grown;
    }
    held.bytes.set(more, held.length);
    held.length = length;
    this.#held[pair] = held;
    this.#heldBytes += more.length;
  }

  #report(pair: number): void {
    const held = this.#held[pair];
    if (this.#header[pair] === 0 || held === undefined || !this.#isEarly(pair)) return;
    const bytes = held.bytes.subarray(0, Math.min(held.length, MAX_PROXY_HEADER_BYTES));
    this.#parts.edges().headerBytes(pair as PairId, bytes);
  }

  /** Reads on, or only watches the client when enough is held; `flags` as for `Reads.arm`. */
  #readOn(pair: number, flags = 0): void {
    const { reads } = this.#parts;
    const limit = this.#header[pair] === 1 ? MAX_PROXY_HEADER_BYTES : HELD_BYTES;
    const room = limit - this.#length(pair);
    // A header is bounded by itself, and nobody who waits may keep others from sending theirs.
    const spent = this.#header[pair] === 0 && this.#heldBytes > MAX_HELD_BYTES;
    if (room <= 0 || spent) this.#watch(pair);
    else reads.arm(2 * pair, flags, room);
  }

  /** io_uring polls for POLLERR, POLLHUP and POLLRDHUP unasked. */
  #watch(pair: number): void {
    if (this.#watched[pair] === 1) return;
    this.#watched[pair] = 1;
    const { loop, pairs } = this.#parts;
    const client = 2 * pair;
    pairs.begin(client);
    const low = userData(CLIENT_GONE, client);
    submitPoll(loop.ring, pairs.fdOf(client), 0, low, pairs.generationOf(client));
  }

  #unwatch(pair: number): void {
    if (this.#watched[pair] !== 1) return;
    this.#watched[pair] = 2;
    const { loop, pairs } = this.#parts;
    loop.cancel(CLIENT_GONE, 2 * pair, pairs.generationOf(2 * pair));
  }

  /** A FIN behind data that is not read yet (POLLRDHUP alone) is no reason to give a client up. */
  #hungUp(client: number, generation: number, events: number): void {
    const { pairs } = this.#parts;
    pairs.check(client, generation);
    const pair = client >> 1;
    const wanted = this.#watched[pair] === 1;
    const reset = events > 0 && (events & (POLLERR | POLLHUP)) !== 0;
    this.#watched[pair] = 0;
    if (wanted && reset && this.#isEarly(pair)) this.#parts.gone(pair, -ERRNO.ECONNRESET);
    pairs.done(client);
  }

  #soonGone(pair: number): void {
    const generation = this.#parts.pairs.generation[pair];
    this.#parts.loop.soon(() => {
      const same = this.#parts.pairs.generation[pair] === generation;
      if (same && this.#isEarly(pair)) this.#parts.gone(pair, 0);
    });
  }
}
