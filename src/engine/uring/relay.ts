/**
 * What happens next in a relay, direction by direction: read on, splice, pass the end on. When a
 * target takes nothing more is not read from its source either, so that data waits in the kernel's
 * own buffers and the source feels it; docs/adr/0007-bounded-buffers.md has the whole of it.
 */
import type { PairId } from '../../core/brand.js';
import { type BufferPool, SMALL_BYTES } from '../../kernel/buffer_pool.js';
import { errnoName } from '../../kernel/errno.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import type { PairEnd, TcpEdges } from '../../session/tcp_port.js';
import { limitSentenceOf } from '../failure.js';
import { Attention } from './attention.js';
import type { Ending, Holder } from './ending.js';
import type { Loop } from './loop.js';
import { Openings } from './openings.js';
import { BROKEN, ENDED, FLUSH, NONE, OPEN, type PairTable, RELAY, STOPPED } from './pairs.js';
import type { ReadSink, Reads } from './reads.js';
import { type SendOwner, Sends } from './sends.js';
import { type SpliceOwner, Splices, type SplicesParts } from './splices.js';
import { Standstill } from './standstill.js';

/**
 * A direction that holds this many buffers is not read on, and while buffers are scarce none that
 * holds one. It may hold more for a turn: what the kernel has received already is not refused.
 */
const MAX_CHAIN = 4;
/** While buffers are scarce, a direction that receives this much at a time is not left armed. */
const MESSAGE_BYTES = 4_096;
/** A receive of this much, twice in a row, or one of a whole buffer makes a direction bulk. */
const LARGE_BYTES = 32_768;
const BULK = 2;

export interface RelayParts extends SplicesParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly pool: BufferPool;
  readonly reads: Reads;
  readonly ending: Ending;
  readonly calls: SocketCalls;
  readonly edges: () => TcpEdges;
  /** Both directions of a pair that was ordered to flush have delivered what was read. */
  readonly flushed: (pair: number) => void;
}

export class Relay implements ReadSink, SendOwner, SpliceOwner, Holder {
  readonly #parts: RelayParts;
  readonly #sends: Sends;
  readonly #splices: Splices;
  readonly #standstill: Standstill;
  /** By direction: large receives in a row; from BULK on the direction shall be spliced. */
  readonly #bulk: Uint8Array;
  /** By socket: 1: writing to it failed. */
  readonly #unwritable: Uint8Array;
  /** What is reported of what backends say. */
  readonly attention: Attention;
  readonly #openings: Openings;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    const { capacity } = parts.pairs;
    this.#sends = new Sends(parts.loop, parts.pairs, parts.pool, parts.lateOptions, this);
    this.#splices = new Splices(parts, this);
    this.#bulk = new Uint8Array(2 * capacity);
    this.#unwritable = new Uint8Array(2 * capacity);
    this.attention = new Attention(parts);
    this.#openings = new Openings(parts, this.#sends, (direction) => this.#goOn(direction));
    parts.reads.sinks[RELAY] = this;
    parts.reads.sinks[FLUSH] = this;
    for (const holder of [this.#sends, this.#splices, this]) parts.ending.add(holder);
    this.#standstill = new Standstill(parts, this.#sends, this.#splices);
  }

  /** Relays `pair`, whose both sockets are connected, after `prelude` and `early` were sent. */
  begin(pair: PairId, prelude: Uint8Array | null, early: Uint8Array | null): void {
    this.#start(pair);
    if (prelude !== null || early !== null) this.#openings.begin(pair, prelude, early);
    this.#goOn(2 * pair);
  }

  /** The same, after the `bytes` in `buffer`, which is the relay's now, were sent. */
  beginWith(pair: PairId, buffer: number, bytes: number): void {
    this.#start(pair);
    this.#sends.push(2 * pair, buffer, bytes, bytes);
    this.#goOn(2 * pair);
  }

  /** True when something was sent to the backend, or is about to be. */
  hasSpoken(pair: number): boolean {
    return this.#sends.length(2 * pair) > 0 || this.#parts.pairs.bytesIn[pair] !== 0;
  }

  /** Reads no more and delivers what was read; `flushed` follows. */
  flush(pair: number): void {
    const { pairs, reads } = this.#parts;
    pairs.phase[pair] = FLUSH;
    for (const direction of [2 * pair, 2 * pair + 1]) {
      // The end of one that is gone is known: it need not be read.
      const end = this.#standstill.isGone(direction) ? BROKEN : STOPPED;
      if (pairs.source[direction] === OPEN) pairs.source[direction] = end;
      reads.cancel(direction);
      this.#splices.stop(direction);
      if (pairs.phase[pair] === FLUSH) this.#goOn(direction);
    }
  }

  abandon(): void {}

  clear(pair: number): void {
    this.#openings.clear(pair);
    this.attention.clear(pair);
    for (const direction of [2 * pair, 2 * pair + 1]) {
      this.#bulk[direction] = 0;
      this.#unwritable[direction] = 0;
    }
  }

  data(direction: number, buffer: number, bytes: number): void {
    const { loop, pairs, pool, reads } = this.#parts;
    const pair = direction >> 1;
    pairs.lastActivityMs[pair] = loop.nowMs;
    if (this.attention.isDue(direction)) this.attention.tell(pair, buffer, bytes);
    // The edge may have ended the pair; and bytes for a broken target are not taken.
    if (!pairs.relays(direction) || this.#unwritable[direction ^ 1] === 1) {
      pool.recycle(buffer);
      return;
    }
    if ((direction & 1) === 0 && this.#openings.has(pair)) {
      this.#openings.append(pair, buffer, bytes);
      return;
    }
    this.#sends.push(direction, buffer, bytes, bytes);
    const pauses =
      this.#turnsBulk(direction, bytes) ||
      this.#sends.length(direction) >= MAX_CHAIN ||
      (bytes >= MESSAGE_BYTES && pool.scarce);
    if (pauses) reads.cancel(direction);
    this.#goOn(direction);
  }

  over(direction: number, answer: number): void {
    const { pairs } = this.#parts;
    if (this.#endedByLimit(direction, answer)) return;
    const pair = direction >> 1;
    if (answer === 0 && this.#unwritable[direction] === 0) {
      pairs.source[direction] = ENDED;
      if (pairs.firstFin[pair] === NONE) pairs.firstFin[pair] = direction;
    } else {
      pairs.source[direction] = BROKEN;
      this.#standstill.sourceGone(direction);
    }
    this.#goOn(direction);
  }

  resume(direction: number): void {
    this.#goOn(direction);
  }

  delivered(direction: number): void {
    this.#goOn(direction);
  }

  stalled(direction: number): void {
    this.#standstill.begin(direction);
  }

  noRoom(direction: number): void {
    this.#standstill.noRoom(direction);
  }

  moved(direction: number, bytes: number): void {
    const { loop, pairs } = this.#parts;
    const pair = direction >> 1;
    const counter = (direction & 1) === 0 ? pairs.bytesIn : pairs.bytesOut;
    counter[pair] = (counter[pair] ?? 0) + bytes;
    pairs.lastActivityMs[pair] = loop.nowMs;
  }

  sourceGone(direction: number): void {
    this.#standstill.sourceGone(direction);
  }

  /**
   * The other end of the target is gone. What it sent before may still be there to read, and is
   * passed on if the other side takes it; its end, when it comes, counts as the reset that it was.
   */
  targetBroken(direction: number, answer: number): void {
    const { pairs, reads } = this.#parts;
    if (this.#endedByLimit(direction, answer)) return;
    const back = direction ^ 1;
    this.#unwritable[back] = 1;
    this.#sends.drop(direction);
    if (pairs.source[direction] === OPEN) pairs.source[direction] = STOPPED;
    reads.cancel(direction);
    const isRead = pairs.source[back] === OPEN;
    if (!isRead) pairs.source[back] = BROKEN;
    this.#standstill.sourceGone(back);
    if (!isRead) this.#goOn(back);
  }

  spliceOver(direction: number, answer: number): void {
    this.#sends.goOn(direction);
    this.over(direction, answer);
  }

  spliceBroken(direction: number, answer: number): void {
    this.targetBroken(direction, answer);
  }

  spliceLeft(direction: number, buffer: number, bytes: number): void {
    this.#sends.adopt(direction, buffer, bytes);
  }

  spliceDone(direction: number): void {
    this.#sends.goOn(direction);
    this.#goOn(direction);
  }

  /** Reads on if there is room, or passes the end on if nothing is left before it. */
  #goOn(direction: number): void {
    const { pairs, reads } = this.#parts;
    if (!reads.idle(direction) || this.#splices.active(direction)) return;
    if ((direction & 1) === 0 && this.#openings.has(direction >> 1)) return;
    const queued = this.#sends.length(direction);
    if (pairs.source[direction] === OPEN && (this.#bulk[direction] ?? 0) < BULK) {
      if (this.#sends.stalled(direction)) return;
      const most = queued === 0 || !this.#parts.pool.scarce ? MAX_CHAIN : 0;
      if (queued < most) reads.begin(direction);
      else this.#sends.await(direction);
    } else if (queued > 0) {
      this.#sends.await(direction);
    } else if (pairs.source[direction] === OPEN) {
      this.#bulk[direction] = 0;
      if (this.#splices.begin(direction) === NONE) reads.begin(direction);
    } else {
      this.#passEndOn(direction);
    }
  }

  #passEndOn(direction: number): void {
    const { pairs, ending, calls } = this.#parts;
    const pair = direction >> 1;
    const target = direction ^ 1;
    const told = pairs.phase[pair] === FLUSH;
    if (pairs.source[direction] === BROKEN) {
      const end: PairEnd = told ? { kind: 'closed' } : { kind: 'reset', by: sideOf(direction) };
      ending.resetDrained(pair, target, end);
      return;
    }
    // A direction that was stopped because its target is broken has no end to pass on.
    if (pairs.finished[direction] === 1 || this.#unwritable[target] === 1) return;
    pairs.finished[direction] = 1;
    const both = pairs.finished[target] === 1;
    if (both && !told) {
      const first = sideOf(pairs.firstFin[pair] ?? 0);
      ending.finish(pair, { kind: 'finished', first });
      return;
    }
    calls.finish(pairs.fdOf(target));
    if (both) this.#parts.flushed(pair);
  }

  #start(pair: number): void {
    const { loop, pairs, reads } = this.#parts;
    pairs.phase[pair] = RELAY;
    this.attention.start(pair);
    pairs.lastActivityMs[pair] = loop.nowMs;
    reads.stream(2 * pair + 1);
  }

  #turnsBulk(direction: number, bytes: number): boolean {
    // As much as a receive of a small buffer takes: that is all it may be while buffers are scarce.
    const isFull = bytes === SMALL_BYTES && this.#parts.pool.scarce;
    if (bytes < LARGE_BYTES && !isFull) {
      this.#bulk[direction] = 0;
      return false;
    }
    // What is spliced comes into no buffer.
    if (this.attention.isOverheard(direction)) return false;
    const large = bytes === this.#parts.pool.bufferBytes ? BULK : (this.#bulk[direction] ?? 0) + 1;
    this.#bulk[direction] = Math.min(large, BULK);
    return large >= BULK;
  }

  /** An errno that is neither the peer's nor the network's fault ends the pair at once. */
  #endedByLimit(direction: number, answer: number): boolean {
    const sentence = answer < 0 ? limitSentenceOf(errnoName(answer)) : null;
    if (sentence === null || !this.#parts.pairs.relays(direction)) return false;
    const pair = direction >> 1;
    const told = this.#parts.pairs.phase[pair] === FLUSH;
    this.#parts.ending.reset(pair, told ? { kind: 'closed' } : { kind: 'limit', sentence });
    return true;
  }
}

function sideOf(direction: number): 'client' | 'backend' {
  return (direction & 1) === 0 ? 'client' : 'backend';
}
