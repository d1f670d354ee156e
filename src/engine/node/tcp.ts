/** The TCP port of the node engine: listeners by key, pairs by number, counters in typed arrays. */
import type { Socket } from 'node:net';
import { assert, present, presentShared } from '../../core/assert.js';
import { BacklogWaiters } from '../../core/backlog.js';
import type { PairId } from '../../core/brand.js';
import type { Clock, Timers } from '../../core/clock.js';
import type { Endpoint, IpEndpoint, Peer } from '../../core/endpoint.js';
import type { PathInfo } from '../../core/path_info.js';
import type { ListenSource } from '../../core/plan.js';
import type { Kernel } from '../../kernel/foreign.js';
import { pathOf } from '../../kernel/tcp_info.js';
import type {
  ListenerKey,
  ListenOutcome,
  PairEnd,
  TcpEdges,
  TcpEngine,
} from '../../session/tcp_port.js';
import type { EngineLimits } from '../engine.js';
import type { SelfDials } from '../self_dials.js';
import { Acceptor } from './acceptor.js';
import { localOf, peerOf } from './address.js';
import { DescriptorWatch, exhaustedErrno } from './descriptors.js';
import { Pair } from './pair.js';
import type { PairHost } from './pair_state.js';
import { SendQueues } from './send_queue.js';
import { Standstill } from './standstill.js';

export interface NodeTcpDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly kernel: Kernel | null;
  readonly selfDials: SelfDials;
}

/** While as many pairs as there may be are taken, clients wait as if paused. */
export class NodeTcp implements TcpEngine, PairHost {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly sendQueues: SendQueues;
  readonly standstill: Standstill;
  readonly selfDials: SelfDials;
  readonly waiters: BacklogWaiters;
  readonly kernel: Kernel | null;
  readonly capacity: number;
  readonly lastActivityMs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  readonly #descriptors: DescriptorWatch;
  readonly #acceptors = new Map<ListenerKey, Acceptor>();
  readonly #pairs: (Pair | null)[];
  /** A stack: the number that was freed last is warm in the processor's caches. */
  readonly #free: PairId[];
  #edges: TcpEdges | null = null;

  constructor({ pairs: capacity, descriptors = 0 }: EngineLimits, deps: NodeTcpDeps) {
    this.#descriptors = new DescriptorWatch(descriptors);
    this.clock = deps.clock;
    this.timers = deps.timers;
    this.sendQueues = new SendQueues(deps.clock, deps.timers, deps.kernel);
    this.standstill = new Standstill(deps.timers, deps.kernel);
    this.selfDials = deps.selfDials;
    this.waiters = new BacklogWaiters((delayMs, then) => void deps.timers.after(delayMs, then));
    this.kernel = deps.kernel;
    this.capacity = capacity;
    this.lastActivityMs = new Float64Array(capacity);
    this.bytesIn = new Float64Array(capacity);
    this.bytesOut = new Float64Array(capacity);
    this.#pairs = Array.from({ length: capacity }, () => null);
    this.#free = Array.from({ length: capacity }, (_, index) => (capacity - 1 - index) as PairId);
  }

  get edges(): TcpEdges {
    return present(this.#edges, 'an engine is attached before it serves');
  }

  attach(edges: TcpEdges): void {
    assert(this.#edges === null, 'an engine is attached once');
    this.#edges = edges;
  }

  async openListener(
    key: ListenerKey,
    source: ListenSource,
    backlog: number,
  ): Promise<ListenOutcome> {
    assert(!this.#acceptors.has(key), `listener ${key} is open already`);
    const acceptor = new Acceptor(
      {
        timers: this.timers,
        kernel: this.kernel,
        connection: (from, socket) => this.#accepted(key, from, socket),
        failed: (errno) => this.edges.acceptFailed(key, errno),
      },
      source,
      backlog,
    );
    this.#acceptors.set(key, acceptor);
    const outcome = await acceptor.open();
    if (!outcome.ok) this.closeListener(key);
    else if (this.#free.length === 0) acceptor.hold('pairs');
    return outcome;
  }

  /** True while there is no pair. */
  get isIdle(): boolean {
    return this.#free.length === this.capacity;
  }

  pauseListener(key: ListenerKey): void {
    this.#acceptor(key).hold('session');
  }

  resumeListener(key: ListenerKey): void {
    this.#acceptor(key).release('session');
  }

  closeListener(key: ListenerKey): void {
    const acceptor = this.#acceptor(key);
    acceptor.takeRest();
    acceptor.close();
    this.#acceptors.delete(key);
  }

  client(pair: PairId): Peer {
    return this.#pair(pair).remote;
  }

  local(pair: PairId): Endpoint {
    return this.#pair(pair).local;
  }

  path(pair: PairId, side: 'client' | 'backend'): PathInfo | null {
    const fd = this.#pair(pair).descriptorOf(side);
    return fd === null || this.kernel === null ? null : pathOf(this.kernel, fd);
  }

  readEarly(pair: PairId, limitBytes: number): void {
    this.#pair(pair).readEarly(limitBytes);
  }

  earlyDone(pair: PairId, consumed: number): void {
    this.#pair(pair).earlyDone(consumed);
  }

  answer(pair: PairId, bytes: Uint8Array): void {
    this.#pair(pair).answer(bytes);
  }

  dial(
    pair: PairId,
    target: Endpoint,
    prelude: Uint8Array | null,
    source: IpEndpoint | null = null,
  ): void {
    this.#pair(pair).dial({ target, source, prelude });
  }

  cancelDial(pair: PairId): void {
    this.#pair(pair).cancelDial();
  }

  ask(pair: PairId): void {
    this.#pair(pair).ask();
  }

  overhear(pair: PairId): void {
    this.#pair(pair).overhear();
  }

  overhearDone(pair: PairId): void {
    this.#pair(pair).overhearDone();
  }

  relay(pair: PairId): void {
    this.#pair(pair).relay();
  }

  close(pair: PairId, how: 'flush' | 'reset'): void {
    this.#pair(pair).close(how);
  }

  release(pair: PairId, end: PairEnd): void {
    this.edges.closed(pair, end);
    this.#pairs[pair] = null;
    this.#free.push(pair);
    if (this.#free.length === 1) this.#eachAcceptor((acceptor) => acceptor.release('pairs'));
  }

  descriptorTaken(): void {
    const errno = this.#descriptors.exhausted();
    if (errno !== null) this.#eachAcceptor((acceptor) => acceptor.fail(errno));
  }

  descriptorMissing(): void {
    const errno = exhaustedErrno();
    if (errno !== null) this.#eachAcceptor((acceptor) => acceptor.fail(errno));
  }

  /** Closes everything; no edge is reported from now on. */
  stop(): void {
    this.#edges = SILENT;
    this.#eachAcceptor((acceptor) => acceptor.close());
    this.#acceptors.clear();
    for (const pair of this.#pairs) pair?.close('reset');
    this.standstill.stop();
  }

  #accepted(key: ListenerKey, acceptor: Acceptor, socket: Socket): void {
    const remote = peerOf(socket, acceptor.local);
    if (remote === null) {
      socket.destroy();
      return;
    }
    const id = presentShared(this.#free.pop(), 'an acceptor is held while every pair is taken');
    if (this.#free.length === 0) this.#eachAcceptor((each) => each.hold('pairs'));
    this.descriptorTaken();
    const pair = new Pair(this, id, socket, remote, localOf(socket, acceptor.local));
    this.#pairs[id] = pair;
    this.lastActivityMs[id] = this.clock.nowMs();
    this.bytesIn[id] = 0;
    this.bytesOut[id] = 0;
    this.edges.accepted(key, id);
  }

  #eachAcceptor(act: (acceptor: Acceptor) => void): void {
    for (const acceptor of this.#acceptors.values()) act(acceptor);
  }

  #acceptor(key: ListenerKey): Acceptor {
    return present(this.#acceptors.get(key), `listener ${key} is not open`);
  }

  #pair(id: PairId): Pair {
    return present(this.#pairs[id], 'the pair is open');
  }
}

const SILENT: TcpEdges = {
  accepted() {},
  earlyBytes() {},
  dialled() {},
  asked() {},
  dialFailed() {},
  firstByte() {},
  heard() {},
  parting() {},
  closed() {},
  acceptFailed() {},
  broken() {},
};
