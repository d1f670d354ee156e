/**
 * How pairs end: what is in flight is cancelled, and when the last operation has completed the
 * descriptors are closed, through the ring and so behind everything that was submitted before. The
 * backend's goes first: when `closed` is reported its connection is over, and its place may be
 * another one's. The client's goes after the edge: until then the socket can be asked for its
 * addresses, at no cost where they are not needed.
 */
import { assert, assertShared, presentShared } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import { ERRNO } from '../../kernel/errno.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import { submitClose } from '../../kernel/submissions.js';
import type { PairEnd, TcpEdges } from '../../session/tcp_port.js';
import { Patience } from '../patience.js';
import type { Delays } from './delays.js';
import type { Loop, TakenWork, TurnWork } from './loop.js';
import { BROKEN, DRAIN, ENDING, NONE, type PairTable } from './pairs.js';
import { CLOSE, userData } from './user_data.js';

/** Holds operations, buffers or descriptors of a pair. */
export interface Holder {
  /** The pair ends: cancel what is in flight, and start nothing new. */
  abandon(pair: number): void;
  /** Nothing of the pair is in flight any more: give everything back. */
  clear?(pair: number): void;
}

/** Looks again whether a peer has acknowledged everything: soon at first, then half as often. */
const FIRST_LOOK_MS = 5;
const LAST_LOOK_MS = 80;

export interface EndingParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly delays: Delays;
  readonly calls: SocketCalls;
  readonly edges: () => TcpEdges;
  /** The ring is known to set options of sockets. */
  readonly ringSetsOptions: () => boolean;
}

export class Ending implements TurnWork {
  /** To be called when a pair's number has become free. */
  released: () => void = () => {};

  readonly #parts: EndingParts;
  readonly #holders: Holder[] = [];
  /** By direction, where its source is gone. */
  readonly #patience: (Patience | undefined)[] = [];
  /** Pairs whose backend's descriptor is to be closed by the next entry, or was by the last one. */
  readonly #parting = new Closings();
  /** The same for the client's descriptor, of pairs whose end has been reported. */
  readonly #leaving = new Closings();

  constructor(parts: EndingParts) {
    this.#parts = parts;
    // Linux frees the number whatever close(2) reports; but what is closed twice was another's.
    parts.loop.on(CLOSE, (_, __, result) => {
      assertShared(result !== -ERRNO.EBADF, 'a descriptor is closed once');
    });
    parts.loop.add(this);
  }

  add(holder: Holder): void {
    this.#holders.push(holder);
  }

  /** Both sides have finished in order: closing sends nothing but what is still under way. */
  finish(pair: number, end: PairEnd): void {
    const { pairs } = this.#parts;
    assert(pairs.phase[pair] !== ENDING, 'a pair ends once');
    pairs.phase[pair] = ENDING;
    pairs.ends[pair] = end;
    for (const holder of this.#holders) holder.abandon(pair);
    if (pairs.inFlight[pair] === 0) pairs.ready.push(pair);
  }

  /** Resets both sides at once. */
  reset(pair: number, end: PairEnd): void {
    for (const socket of [2 * pair, 2 * pair + 1]) this.#resetOnClose(socket);
    this.finish(pair, end);
  }

  /** Resets both sides as soon as the peer of `socket` has got everything that was sent to it. */
  resetDrained(pair: number, socket: number, end: PairEnd): void {
    if (this.#drained(socket)) {
      this.reset(pair, end);
      return;
    }
    this.#parts.pairs.phase[pair] = DRAIN;
    this.#lookAgain(pair, socket, FIRST_LOOK_MS, end);
  }

  /**
   * True when the target of `direction`, whose source is gone, has not got `leftBytes` and is not
   * waited for any longer. To be asked from the end of the source on.
   */
  isHopeless(direction: number, leftBytes: number): boolean {
    const { nowMs } = this.#parts.loop;
    const patience = this.#patience[direction] ?? new Patience(nowMs, this.#stoodMs(direction));
    this.#patience[direction] = patience;
    return patience.isOver(nowMs, leftBytes);
  }

  /** Runs `task` as soon as both peers have acknowledged everything that was sent to them. */
  whenDelivered(pair: number, task: () => void, pauseMs = FIRST_LOOK_MS): void {
    if (this.#drained(2 * pair) && this.#drained(2 * pair + 1)) task();
    else this.later(pair, pauseMs, () => this.whenDelivered(pair, task, longer(pauseMs)));
  }

  /** Runs `task` after `delayMs` if the pair is still in the same use and not ending. */
  later(pair: number, delayMs: number, task: () => void): void {
    const { pairs } = this.#parts;
    const generation = pairs.generation[pair];
    this.#parts.delays.later(delayMs, () => {
      const same = pairs.generation[pair] === generation;
      if (same && pairs.phase[pair] !== ENDING) pairs.alone(pair, task);
    });
  }

  before(): void {
    this.#parting.entering();
    this.#leaving.entering();
  }

  after(taken: TakenWork): void {
    const { pairs } = this.#parts;
    if (taken !== 'partly') {
      const left = this.#leaving.closed();
      for (const pair of left) pairs.release(pair);
      for (const pair of this.#parting.closed()) this.#report(pair);
      if (left.length > 0) this.released();
    }
    if (pairs.ready.length === 0) return;
    for (const pair of pairs.ready.splice(0)) this.#part(pair);
  }

  /** Nothing waits for a number that is free a little later, as long as there are others. */
  dueMs(): number {
    const { pairs } = this.#parts;
    const waiting = this.#parting.length + pairs.ready.length;
    const wanted = pairs.free === 0 ? this.#leaving.length : 0;
    return waiting + wanted > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  #lookAgain(pair: number, socket: number, pauseMs: number, end: PairEnd): void {
    // The direction that writes to this socket is the other one.
    const hopeless = this.isHopeless(socket ^ 1, this.#unacknowledged(socket));
    if (hopeless || this.#drained(socket)) this.reset(pair, end);
    else this.later(pair, pauseMs, () => this.#lookAgain(pair, socket, longer(pauseMs), end));
  }

  /** For how long the target of `direction` has taken nothing. */
  #stoodMs(direction: number): number {
    const { calls, pairs } = this.#parts;
    const fd = pairs.fdOf(direction ^ 1);
    return fd === NONE ? 0 : calls.silentMs(fd);
  }

  #drained(socket: number): boolean {
    return this.#unacknowledged(socket) === 0;
  }

  #unacknowledged(socket: number): number {
    const { calls, pairs } = this.#parts;
    const fd = pairs.fdOf(socket);
    return fd === NONE ? 0 : calls.unacknowledged(fd);
  }

  #resetOnClose(socket: number): void {
    const { calls, pairs, loop } = this.#parts;
    const fd = pairs.fdOf(socket);
    // A connection that its peer has reset is over: closing it sends nothing.
    if (fd === NONE || pairs.source[socket] === BROKEN) return;
    // The close is submitted behind it. What is wrong with the descriptor is wrong there, too.
    if (!this.#parts.ringSetsOptions()) calls.resetOnClose(fd);
    else calls.submitResetOnClose(loop.ring, fd, userData(CLOSE, socket), 0);
  }

  /** Nothing is in flight any more: the backend's connection is closed, and `closed` follows. */
  #part(pair: number): void {
    const { pairs } = this.#parts;
    assertShared(pairs.inFlight[pair] === 0, 'a pair is closed when nothing is in flight');
    for (const holder of this.#holders) holder.clear?.(pair);
    this.#patience[2 * pair] = undefined;
    this.#patience[2 * pair + 1] = undefined;
    if (pairs.fdOf(2 * pair + 1) === NONE) return this.#report(pair);
    this.#parts.edges().parting(pair as PairId);
    this.#close(2 * pair + 1);
    this.#parting.add(pair);
  }

  #report(pair: number): void {
    const end = presentShared(this.#parts.pairs.ends[pair], 'a pair has an end when it is closed');
    this.#parts.edges().closed(pair as PairId, end);
    this.#close(2 * pair);
    this.#leaving.add(pair);
  }

  #close(socket: number): void {
    const { pairs, loop } = this.#parts;
    submitClose(loop.ring, pairs.takeDescriptor(socket), userData(CLOSE, socket), 0);
  }
}

function longer(pauseMs: number): number {
  return Math.min(2 * pauseMs, LAST_LOOK_MS);
}

const NO_PAIRS: readonly number[] = [];

/** Pairs that wait for the kernel to take what was submitted for them. */
class Closings {
  /** Submitted since the last entry. */
  #submitted: number[] = [];
  #entered: number[] = [];

  get length(): number {
    return this.#submitted.length + this.#entered.length;
  }

  add(pair: number): void {
    this.#submitted.push(pair);
  }

  entering(): void {
    if (this.#submitted.length === 0) return;
    for (const pair of this.#submitted) this.#entered.push(pair);
    this.#submitted = [];
  }

  /** Those for which the kernel has done it, each once. */
  closed(): readonly number[] {
    if (this.#entered.length === 0) return NO_PAIRS;
    const closed = this.#entered;
    this.#entered = [];
    return closed;
  }
}
