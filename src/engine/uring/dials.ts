/**
 * Connects under way. A dial has a number and a descriptor of its own, which become the pair's only
 * on success: so a pair may give a dial up and begin the next one, or end, before the kernel has
 * answered for the first.
 */
import { assert, assertShared } from '../../core/assert.js';
import { BacklogWaiters, FIRST_PAUSE_MS, nextPauseMs } from '../../core/backlog.js';
import type { PairId } from '../../core/brand.js';
import type { Endpoint, IpEndpoint } from '../../core/endpoint.js';
import type { DialFailure } from '../../core/outcome.js';
import { ERRNO, errnoName } from '../../kernel/errno.js';
import type { MappedMemory } from '../../kernel/memory.js';
import { AF_UNIX, addressFamily, putAddress, SOCKADDR_MAX_BYTES } from '../../kernel/sockaddr.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import { submitClose, submitConnect } from '../../kernel/submissions.js';
import type { TcpEdges } from '../../session/tcp_port.js';
import { dialFailureOf, sourceFailureOf } from '../failure.js';
import type { SelfDials, Suspect } from '../self_dials.js';
import type { Delays } from './delays.js';
import type { Holder } from './ending.js';
import type { Handshakes } from './handshakes.js';
import type { Loop } from './loop.js';
import { EARLY, NONE, type PairTable } from './pairs.js';
import { CLOSE, CONNECT, GENERATION_MASK, OPTIONS, userData } from './user_data.js';

/** An address's place in memory, a multiple of 8. */
const ADDRESS_STRIDE = (SOCKADDR_MAX_BYTES + 7) & ~7;

/** In place of a dial's number: it could not begin, and the pair is notified soon. */
const FAILING = -2;

/** How many dials can be under way for `pairs` pairs: one each, and those given up. */
export const dialCapacity = (pairs: number): number => pairs + Math.min(pairs, 1024);
/** What `DialsParts.addresses` must have. */
export const dialMemoryBytes = (pairs: number): number => dialCapacity(pairs) * ADDRESS_STRIDE;

export interface DialsParts {
  readonly loop: Loop;
  readonly delays: Delays;
  readonly calls: SocketCalls;
  readonly pairs: PairTable;
  readonly handshakes: Handshakes;
  readonly selfDials: SelfDials;
  readonly addresses: MappedMemory;
  readonly edges: () => TcpEdges;
}

export class Dials implements Holder {
  readonly #parts: DialsParts;
  readonly #addresses: Int32Array;
  // By dial.
  readonly #fd: Int32Array;
  /** NONE: given up. */
  readonly #pair: Int32Array;
  readonly #generation: Int32Array;
  readonly #family: Uint8Array;
  /** What may have been connected to itself. */
  readonly #suspect: (Suspect | null)[];
  readonly #free: Int32Array;
  readonly #waiters: BacklogWaiters;
  #freeCount: number;

  constructor(parts: DialsParts) {
    this.#parts = parts;
    this.#waiters = new BacklogWaiters((delayMs, then) => parts.delays.later(delayMs, then));
    this.#addresses = new Int32Array(parts.addresses.buffer);
    const capacity = dialCapacity(parts.pairs.capacity);
    this.#fd = new Int32Array(capacity).fill(NONE);
    this.#pair = new Int32Array(capacity).fill(NONE);
    this.#generation = new Int32Array(capacity);
    this.#family = new Uint8Array(capacity);
    this.#suspect = Array.from({ length: capacity }, () => null);
    this.#free = Int32Array.from({ length: capacity }, (_, index) => capacity - 1 - index);
    this.#freeCount = capacity;
    parts.loop.on(
      CONNECT,
      (dial, generation, result) => this.#answered(dial, generation, result),
      (dial, generation) => this.#generation[dial] === generation,
    );
    // Refused while the kernel took the entry, and so before the connect was answered.
    parts.loop.on(OPTIONS, (dial, generation) => {
      if (this.#generation[dial] === generation)
        parts.handshakes.unprepared(this.#fd[dial] ?? NONE);
    });
  }

  /** Begins to connect `pair` to `target`. */
  begin(pair: PairId, target: Endpoint, source: IpEndpoint | null): void {
    const { loop, pairs, handshakes } = this.#parts;
    assert(pairs.dial[pair] === NONE, 'a pair has one dial at a time');
    assert(pairs.fdOf(2 * pair + 1) === NONE, 'a pair dials until it is connected');
    const family = addressFamily(target);
    const socket = handshakes.open(family);
    if (!socket.ok || this.#freeCount === 0) {
      if (socket.ok) submitClose(loop.ring, socket.value, userData(CLOSE, 0), 0);
      this.#failSoon(pair, 'no-descriptor');
      return;
    }
    const bound = source === null ? 0 : this.#parts.calls.bindSource(socket.value, source);
    if (bound < 0) {
      submitClose(loop.ring, socket.value, userData(CLOSE, 0), 0);
      this.#failSoon(pair, sourceFailureOf(errnoName(bound)));
      return;
    }
    const dial = this.#free[--this.#freeCount] ?? 0;
    this.#fd[dial] = socket.value;
    this.#pair[dial] = pair;
    this.#family[dial] = family;
    this.#suspect[dial] = this.#parts.selfDials.suspect(target, loop.nowMs);
    pairs.dial[pair] = dial;
    const bytes = putAddress(target, this.#addresses, (dial * ADDRESS_STRIDE) / 4);
    const at = this.#parts.addresses.address + dial * ADDRESS_STRIDE;
    const generation = this.#generation[dial] ?? 0;
    handshakes.prepare(socket.value, family, dial, generation);
    if (family !== AF_UNIX) {
      submitConnect(loop.ring, socket.value, at, bytes, userData(CONNECT, dial), generation);
    } else {
      const connect = (): number => this.#parts.calls.connect(socket.value, at, bytes);
      loop.soon(() => this.#connect(dial, generation, connect, FIRST_PAUSE_MS));
    }
  }

  /** Gives the pair's dial up, if there is one: its answer is ignored. */
  abandon(pair: number): void {
    const { loop, pairs } = this.#parts;
    const dial = pairs.dial[pair] ?? NONE;
    if (dial === NONE) return;
    pairs.dial[pair] = NONE;
    if (dial === FAILING) return;
    if (this.#family[dial] === AF_UNIX) {
      submitClose(loop.ring, this.#fd[dial] ?? NONE, userData(CLOSE, dial), 0);
      this.#release(dial);
    } else {
      this.#pair[dial] = NONE;
      loop.cancel(CONNECT, dial, this.#generation[dial] ?? 0);
    }
  }

  /** True when no dial is under way, not even one that was given up. */
  get idle(): boolean {
    return this.#freeCount === this.#free.length;
  }

  /** Nothing was begun; the edge must not come from inside `dial`. */
  #failSoon(pair: PairId, failure: DialFailure): void {
    const { loop, pairs } = this.#parts;
    pairs.dial[pair] = FAILING;
    loop.soon(() => {
      if (pairs.dial[pair] !== FAILING) return;
      pairs.dial[pair] = NONE;
      this.#parts.edges().dialFailed(pair, failure);
    });
  }

  #answered(dial: number, generation: number, answer: number): void {
    const { loop, pairs } = this.#parts;
    assertShared(this.#generation[dial] === generation, 'an answer belongs to the present dial');
    const fd = this.#fd[dial] ?? NONE;
    const pair = this.#pair[dial] ?? NONE;
    assertShared(fd !== NONE, 'a dial under way has a descriptor');
    const result = answer >= 0 && this.#isToItself(dial, fd) ? -ERRNO.ECONNREFUSED : answer;
    this.#release(dial);
    if (pair === NONE || result < 0) submitClose(loop.ring, fd, userData(CLOSE, dial), 0);
    if (pair === NONE) return;
    // From here on the connection is the pair's, so that it is not lost, whatever fails.
    if (result >= 0) pairs.fd[2 * pair + 1] = fd;
    const expected = pairs.dial[pair] === dial;
    pairs.dial[pair] = NONE;
    // As `alone`, without a function for each dial.
    try {
      assert(expected && pairs.phase[pair] === EARLY, 'an early pair dials');
      this.#tell(dial, pair, result);
    } catch (error) {
      pairs.broken(pair, error);
    }
  }

  /**
   * Over a unix socket connect(2) answers at once. The ring takes EAGAIN, a full backlog, for a
   * reason to try on a thread of its own, and there dials wait for each other. The dial goes on,
   * unless it was given up meanwhile.
   */
  #connect(dial: number, generation: number, connect: () => number, pauseMs: number): void {
    if (this.#generation[dial] !== generation) return;
    const answer = connect();
    if (answer !== -ERRNO.EAGAIN) return this.#answered(dial, generation, answer);
    const again = (): void => this.#connect(dial, generation, connect, nextPauseMs(pauseMs));
    this.#waiters.wait(pauseMs, dial, again);
  }

  /** The number is free; its descriptor has another owner, or is closed. */
  #release(dial: number): void {
    this.#fd[dial] = NONE;
    this.#pair[dial] = NONE;
    this.#generation[dial] = ((this.#generation[dial] ?? 0) + 1) & GENERATION_MASK;
    this.#free[this.#freeCount++] = dial;
  }

  /** True: the connection is to itself, and will be reset when it is closed. */
  #isToItself(dial: number, fd: number): boolean {
    const suspect = this.#suspect[dial] ?? null;
    if (suspect === null) return false;
    const { loop, calls, selfDials } = this.#parts;
    const sameHost = (): boolean => calls.sameHost(fd);
    if (!selfDials.isOne(suspect, calls.localPort(fd), sameHost, loop.nowMs)) return false;
    calls.resetOnClose(fd);
    return true;
  }

  #tell(dial: number, pair: number, result: number): void {
    if (result < 0) {
      this.#parts.edges().dialFailed(pair as PairId, dialFailureOf(errnoName(result)));
      return;
    }
    if (this.#family[dial] !== AF_UNIX) this.#parts.handshakes.connected(pair);
    this.#parts.edges().dialled(pair as PairId);
  }
}
