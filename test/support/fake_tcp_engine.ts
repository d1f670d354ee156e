/**
 * A TCP engine without sockets: it keeps the promises of src/session/tcp_port.ts, asserts that the
 * session keeps its own, and does on the "network" only what the test orders. `closed` edges wait
 * for `turn`, as they must never come from inside `close`, and for as many turns more as `delay`
 * says: meanwhile the pair is over, and the session may not know it.
 */
import assert from 'node:assert/strict';
import type { PairId } from '../../src/core/brand.js';
import type { Clock } from '../../src/core/clock.js';
import {
  type Endpoint,
  formatAddress,
  ipEndpoint,
  type Peer,
  peerAt,
} from '../../src/core/endpoint.js';
import type { DialFailure } from '../../src/core/outcome.js';
import type { PathInfo } from '../../src/core/path_info.js';
import type { ListenSource } from '../../src/core/plan.js';
import type {
  ListenerKey,
  ListenOutcome,
  PairEnd,
  TcpEdges,
  TcpEngine,
} from '../../src/session/tcp_port.js';

export interface FakePair {
  readonly id: PairId;
  readonly key: ListenerKey;
  readonly peer: Endpoint;
  /** `idle`: nothing was asked for yet, or the last dial failed or was given up. */
  state: 'idle' | 'early' | 'dialling' | 'dialled' | 'asking' | 'relaying' | 'closing';
  /** Of the dial under way or done, also while closing; null: none. */
  target: string | null;
  prelude: Buffer | null;
  /** Why its last dial failed; null: none has. */
  failure: DialFailure | null;
  /** A backend has been reached. */
  hasBackend: boolean;
  /** How it was asked to close. */
  how: 'flush' | 'reset' | null;
  /** What the client has sent before the relay. */
  held: Buffer;
  /** How much of it is reported; 0: it is not being read. */
  limitBytes: number;
  /** What sluice has said to the client before the relay. */
  answers: Buffer;
  /** What the backend says is reported. */
  isOverheard: boolean;
  /** Its end, from when the engine knows it; nothing happens to it any more but `closed`. */
  over: PairEnd | null;
}

interface Ended {
  readonly pair: FakePair;
  turns: number;
}

interface Socket {
  readonly local: Endpoint;
  state: 'accepting' | 'paused';
  /** Clients that the kernel holds, and how many it would. */
  readonly backlog: Endpoint[];
  readonly limit: number;
}

export class FakeTcpEngine implements TcpEngine {
  readonly lastActivityMs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  readonly capacity: number;
  readonly sockets = new Map<ListenerKey, Socket>();
  readonly pairs = new Map<PairId, FakePair>();
  /** Every dial so far, as text, in order. */
  readonly dialled: string[] = [];
  /** Sockets that cannot be opened. */
  readonly taken = new Set<ListenerKey>();
  /** Called at each dial, before anything else happens. */
  onDial: (pair: FakePair) => void = () => {};
  /** What the kernel would say. */
  path: (id: PairId, side: 'client' | 'backend') => PathInfo | null = () => null;
  /** Called after the pair is over. */
  onClosed: (pair: FakePair) => void = () => {};
  readonly #clock: Clock;
  readonly #delay: () => number;
  #ended: Ended[] = [];
  /** Pairs that had sent something when their reading began. */
  readonly #due = new Set<FakePair>();
  #edges: TcpEdges | null = null;

  /** `delay`: for how many turns the engine knows an end before it reports it. */
  constructor(clock: Clock, capacity: number, delay: () => number = () => 0) {
    this.#clock = clock;
    this.#delay = delay;
    this.capacity = capacity;
    this.lastActivityMs = new Float64Array(capacity);
    this.bytesIn = new Float64Array(capacity);
    this.bytesOut = new Float64Array(capacity);
  }

  attach(edges: TcpEdges): void {
    this.#edges = edges;
  }

  // ---- what happens on the network ----

  /**
   * A client comes; null: it waits in the kernel's backlog, or is refused where nothing listens.
   */
  connect(key: ListenerKey, peer: Endpoint): PairId | null {
    const socket = this.sockets.get(key);
    if (socket === undefined) return null;
    if (socket.state === 'paused' || this.pairs.size >= this.capacity) {
      if (socket.backlog.length < socket.limit) socket.backlog.push(peer);
      return null;
    }
    return this.#accept(key, peer);
  }

  /** The client's first bytes; all of them so far are reported where a header is read. */
  clientSends(id: PairId, bytes: Uint8Array): void {
    const pair = this.pair(id);
    pair.held = Buffer.concat([pair.held, bytes]);
    if (pair.over !== null) return;
    this.lastActivityMs[id] = this.#clock.nowMs();
    this.#reportEarly(pair);
  }

  dialSucceeds(id: PairId): void {
    const pair = this.#alive(id, 'dialling');
    pair.state = 'dialled';
    pair.hasBackend = true;
    this.#attached().dialled(id);
  }

  /** The backend says its first byte, or FIN (null). */
  backendAnswers(id: PairId, byte: number | null): void {
    const pair = this.#alive(id, 'asking');
    pair.state = 'dialled';
    this.#attached().asked(id, byte);
  }

  dialFails(id: PairId, failure: DialFailure): void {
    const pair = this.#alive(id, 'dialling');
    pair.state = 'idle';
    pair.target = null;
    pair.failure = failure;
    this.#attached().dialFailed(id, failure);
  }

  moves(id: PairId, direction: 'in' | 'out', bytes: number): void {
    this.#alive(id, 'relaying');
    const counts = direction === 'in' ? this.bytesIn : this.bytesOut;
    const before = counts[id] ?? 0;
    counts[id] = before + bytes;
    this.lastActivityMs[id] = this.#clock.nowMs();
    if (direction === 'out' && before === 0) this.#attached().firstByte(id);
  }

  /** The backend says something in the relay. */
  backendSays(id: PairId, bytes: Uint8Array): void {
    this.moves(id, 'out', bytes.length);
    if (this.#alive(id, 'relaying').isOverheard) this.#attached().heard(id, bytes);
  }

  /** The pair ends by itself; the edge comes at once where `delay` says 0. */
  ends(id: PairId, end: PairEnd): void {
    const pair = this.pair(id);
    assert.equal(pair.over, null, 'a pair is over once');
    pair.over = end;
    const turns = this.#delay();
    if (turns === 0) this.#report(pair);
    else this.#ended.push({ pair, turns });
  }

  /** Delivers the `closed` edges that are due, and accepts clients that wait in a backlog. */
  turn(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const pair of due) if (this.pairs.get(pair.id) === pair) this.#reportEarly(pair);
    const ended = this.#ended;
    this.#ended = [];
    for (const each of ended) {
      if (--each.turns > 0) this.#ended.push(each);
      else this.#report(each.pair);
    }
    for (const [key, socket] of this.sockets) {
      while (socket.state === 'accepting' && this.pairs.size < this.capacity) {
        const peer = socket.backlog.shift();
        if (peer === undefined) break;
        this.#accept(key, peer);
      }
    }
  }

  pair(id: PairId): FakePair {
    const pair = this.pairs.get(id);
    assert(pair !== undefined, `pair ${id} is not open`);
    return pair;
  }

  // ---- TcpEngine ----

  async openListener(
    key: ListenerKey,
    source: ListenSource,
    limit: number,
  ): Promise<ListenOutcome> {
    assert(!this.sockets.has(key), 'a socket is opened once');
    if (this.taken.has(key)) {
      return { ok: false, errno: 'EADDRINUSE', sentence: 'the address is in use (EADDRINUSE)' };
    }
    this.sockets.set(key, { local: source.local, state: 'accepting', backlog: [], limit });
    return { ok: true, local: source.local };
  }

  pauseListener(key: ListenerKey): void {
    this.#socket(key).state = 'paused';
  }

  resumeListener(key: ListenerKey): void {
    this.#socket(key).state = 'accepting';
  }

  closeListener(key: ListenerKey): void {
    this.#socket(key);
    this.sockets.delete(key);
  }

  client(id: PairId): Peer {
    return peerAt(this.pair(id).peer);
  }

  local(): Endpoint {
    return ipEndpoint(4, '192.0.2.1', 5432);
  }

  readEarly(id: PairId, limitBytes: number): void {
    const pair = this.#in(id, 'idle');
    pair.state = 'early';
    pair.limitBytes = limitBytes;
    if (pair.held.length > 0) this.#due.add(pair);
  }

  earlyDone(id: PairId, consumed: number): void {
    const pair = this.#in(id, 'early');
    assert(consumed <= Math.min(pair.held.length, pair.limitBytes), 'it was reported');
    pair.state = 'idle';
    pair.held = pair.held.subarray(consumed);
  }

  answer(id: PairId, bytes: Uint8Array): void {
    const pair = this.pair(id);
    assert.match(pair.state, /^(idle|early|dialling|dialled)$/);
    if (pair.over === null) pair.answers = Buffer.concat([pair.answers, bytes]);
  }

  dial(id: PairId, target: Endpoint, prelude: Uint8Array | null): void {
    const pair = this.#in(id, 'idle');
    pair.state = 'dialling';
    pair.target = formatAddress(target);
    pair.prelude = prelude === null ? null : Buffer.from(prelude);
    this.dialled.push(pair.target);
    this.onDial(pair);
  }

  cancelDial(id: PairId): void {
    const pair = this.#in(id, 'dialling');
    pair.state = 'idle';
    pair.target = null;
    pair.failure = 'timeout';
  }

  ask(id: PairId): void {
    this.#in(id, 'dialled').state = 'asking';
  }

  overhear(id: PairId): void {
    this.#in(id, 'dialled').isOverheard = true;
  }

  overhearDone(id: PairId): void {
    const pair = this.pair(id);
    assert(pair.isOverheard, 'what is overheard is done once');
    pair.isOverheard = false;
  }

  relay(id: PairId): void {
    const pair = this.#in(id, 'dialled');
    pair.state = 'relaying';
    this.lastActivityMs[id] = this.#clock.nowMs();
  }

  close(id: PairId, how: 'flush' | 'reset'): void {
    const pair = this.pair(id);
    if (pair.over === null) {
      pair.over = { kind: 'closed' };
      this.#ended.push({ pair, turns: 1 + this.#delay() });
    }
    pair.state = 'closing';
    if (pair.how !== 'reset') pair.how = how;
  }

  #accept(key: ListenerKey, peer: Endpoint): PairId {
    let id = 0;
    while (this.pairs.has(id as PairId)) id++;
    const pair: FakePair = {
      id: id as PairId,
      key,
      peer,
      state: 'idle',
      target: null,
      prelude: null,
      failure: null,
      hasBackend: false,
      how: null,
      held: Buffer.alloc(0),
      limitBytes: 0,
      answers: Buffer.alloc(0),
      isOverheard: false,
      over: null,
    };
    this.pairs.set(pair.id, pair);
    this.bytesIn[id] = 0;
    this.bytesOut[id] = 0;
    this.lastActivityMs[id] = this.#clock.nowMs();
    this.#attached().accepted(key, pair.id);
    return pair.id;
  }

  #reportEarly(pair: FakePair): void {
    if (pair.state !== 'early' || pair.over !== null) return;
    this.#attached().earlyBytes(pair.id, pair.held.subarray(0, pair.limitBytes));
  }

  #report(pair: FakePair): void {
    assert(pair.over !== null, 'what is reported is over');
    if (pair.hasBackend) this.#attached().parting(pair.id);
    this.#attached().closed(pair.id, pair.over);
    this.pairs.delete(pair.id);
    this.onClosed(pair);
  }

  #in(id: PairId, state: FakePair['state']): FakePair {
    const pair = this.pair(id);
    assert.equal(pair.state, state, `pair ${id} is ${pair.state}, not ${state}`);
    return pair;
  }

  /** In `state`, as the session knows it too, and not over. */
  #alive(id: PairId, state: FakePair['state']): FakePair {
    const pair = this.#in(id, state);
    assert.equal(pair.over, null, `pair ${id} is over: only \`closed\` can come`);
    return pair;
  }

  #socket(key: ListenerKey): Socket {
    const socket = this.sockets.get(key);
    assert(socket !== undefined, `socket ${key} is not open`);
    return socket;
  }

  #attached(): TcpEdges {
    assert(this.#edges !== null, 'attach comes first');
    return this.#edges;
  }
}
