/** The TCP port over io_uring: puts the parts together and says which call goes to which. */
import { assert } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import type { Endpoint, IpEndpoint, Peer } from '../../core/endpoint.js';
import type { PathInfo } from '../../core/path_info.js';
import type { ListenSource } from '../../core/plan.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
import type { Kernel } from '../../kernel/foreign.js';
import type { MappedMemory } from '../../kernel/memory.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import { pathOf } from '../../kernel/tcp_info.js';
import {
  ANSWER_BYTES,
  LINGER_MS,
  type ListenerKey,
  type ListenOutcome,
  type TcpEdges,
  type TcpEngine,
} from '../../session/tcp_port.js';
import type { SelfDials } from '../self_dials.js';
import { Accepts } from './accepts.js';
import { EncodedAddresses } from './addresses.js';
import type { Delays } from './delays.js';
import { Dials } from './dials.js';
import { Early } from './early.js';
import { Ending } from './ending.js';
import { Handshakes } from './handshakes.js';
import { LateOptions } from './late_options.js';
import { Linger } from './linger.js';
import { listenOn } from './listen.js';
import type { Loop } from './loop.js';
import { BROKEN, EARLY, ENDING, FREE, NONE, PairTable, RELAY } from './pairs.js';
import type { Pipes } from './pipes.js';
import { Reads } from './reads.js';
import { Relay } from './relay.js';

/** What the TCP port needs and may fail to be had. */
export interface TcpMeans {
  readonly kernel: Kernel;
  readonly loop: Loop;
  readonly delays: Delays;
  readonly pool: BufferPool;
  readonly calls: SocketCalls;
  readonly pipes: Pipes;
  readonly selfDials: SelfDials;
  /** `SIZES.earlyBytes` */
  readonly earlyBytes: number;
  /** splice(2) answered a refusal, and buffers carry bulk data from then on. */
  readonly spliceRefused: (answer: number) => void;
  /** `addressMemoryBytes` and `dialMemoryBytes` of the capacity. */
  readonly clientAddresses: MappedMemory;
  readonly dialAddresses: MappedMemory;
}

/** The receiver of edges after the stop. */
const NO_EDGES: TcpEdges = {
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

export class UringTcp implements TcpEngine {
  readonly capacity: number;
  readonly lastActivityMs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;

  readonly #kernel: Kernel;
  readonly #calls: SocketCalls;
  readonly #pairs: PairTable;
  readonly #pipes: Pipes;
  readonly #addresses: EncodedAddresses;
  readonly #ending: Ending;
  readonly #early: Early;
  readonly #dials: Dials;
  readonly #relay: Relay;
  readonly #linger: Linger;
  readonly #accepts: Accepts;
  readonly #preludes: (Uint8Array | null)[] = [];
  /** Called after each listener that was opened: the outcome is awaited. */
  readonly #opened: () => void;
  #edges: TcpEdges | null = null;

  constructor(means: TcpMeans, capacity: number, opened: () => void) {
    const { kernel, loop, delays, pool, calls, pipes, spliceRefused } = means;
    const edges = (): TcpEdges => {
      assert(this.#edges !== null, 'edges are attached before the loop runs');
      loop.wantTick();
      return this.#edges;
    };
    const pairs = new PairTable(capacity);
    pairs.broken = (pair, error) => edges().broken(pair as PairId, error);
    const reads = new Reads(loop, pairs, pool);
    const addresses = new EncodedAddresses(kernel, means.clientAddresses);
    const ringSetsOptions = (): boolean => handshakes.ringSetsOptions;
    const ending = new Ending({ loop, pairs, delays, calls, edges, ringSetsOptions });
    const gone = (pair: number, answer: number): void => {
      const end = { kind: 'client-gone' } as const;
      if (answer === 0) ending.finish(pair, end);
      else ending.reset(pair, end);
    };
    const broke = (pair: number): void => {
      pairs.source[2 * pair + 1] = BROKEN;
      ending.reset(pair, { kind: 'reset', by: 'backend' });
    };
    const mostBytes = means.earlyBytes;
    const early = new Early({ loop, pairs, pool, reads, mostBytes, edges, gone, broke });
    const hasSpoken = (pair: number): boolean => relay.hasSpoken(pair);
    const lateOptions = new LateOptions(loop, pairs, calls);
    const handshakes = new Handshakes({ loop, pairs, calls, lateOptions, hasSpoken });
    const { selfDials, dialAddresses } = means;
    const dialling = { loop, delays, calls, pairs, handshakes, edges };
    const dials = new Dials({ ...dialling, selfDials, addresses: dialAddresses });
    const linger = new Linger({ pairs, pool, reads, calls, ending });
    const flushed = (pair: number): void => linger.begin(pair);
    const { libc } = kernel;
    const shared = { loop, pairs, pool, reads, calls, lateOptions, edges, ending };
    const relay = new Relay({ ...shared, pipes, libc, spliceRefused, flushed });
    const begin = (pair: number): void => early.begin(pair);
    const accepts = new Accepts({ loop, pairs, delays, calls, addresses, edges, begin });
    for (const holder of [reads, early, dials, lateOptions]) ending.add(holder);
    ending.released = () => accepts.roomAgain();

    this.capacity = capacity;
    this.lastActivityMs = pairs.lastActivityMs;
    this.bytesIn = pairs.bytesIn;
    this.bytesOut = pairs.bytesOut;
    this.#kernel = kernel;
    this.#calls = calls;
    this.#pairs = pairs;
    this.#pipes = pipes;
    this.#addresses = addresses;
    this.#ending = ending;
    this.#early = early;
    this.#dials = dials;
    this.#relay = relay;
    this.#linger = linger;
    this.#accepts = accepts;
    this.#opened = opened;
  }

  attach(edges: TcpEdges): void {
    this.#edges = edges;
  }

  openListener(key: ListenerKey, source: ListenSource, backlog: number): Promise<ListenOutcome> {
    this.#opened();
    const socket = listenOn(this.#kernel, source, 'tcp', backlog);
    if (!socket.ok) return Promise.resolve(socket.error);
    const { fd, local } = socket.value;
    this.#accepts.open(key, fd, local);
    return Promise.resolve({ ok: true, local });
  }

  pauseListener(key: ListenerKey): void {
    this.#accepts.pause(key);
  }

  resumeListener(key: ListenerKey): void {
    this.#accepts.resume(key);
  }

  closeListener(key: ListenerKey): void {
    this.#accepts.close(key);
  }

  client(pair: PairId): Peer {
    assert(this.#pairs.phase[pair] !== FREE, 'the pair is in use');
    return this.#addresses.client(pair);
  }

  local(pair: PairId): Endpoint {
    assert(this.#pairs.phase[pair] !== FREE, 'the pair is in use');
    return this.#addresses.local(pair, this.#pairs.fdOf(2 * pair));
  }

  path(pair: PairId, side: 'client' | 'backend'): PathInfo | null {
    return pathOf(this.#kernel, this.#pairs.fdOf(side === 'client' ? 2 * pair : 2 * pair + 1));
  }

  readEarly(pair: PairId, limitBytes: number): void {
    if (this.#isOver(pair)) return;
    this.#early.readEarly(pair, limitBytes);
  }

  earlyDone(pair: PairId, consumed: number): void {
    if (this.#isOver(pair)) return;
    this.#early.earlyDone(pair, consumed);
  }

  answer(pair: PairId, bytes: Uint8Array): void {
    assert(bytes.length <= ANSWER_BYTES, 'an answer fits into an empty buffer');
    if (this.#isOver(pair)) return;
    // Nothing stands in the socket's buffer: what fails here has failed, and its end follows.
    this.#calls.say(this.#pairs.fdOf(2 * pair), bytes);
  }

  dial(
    pair: PairId,
    target: Endpoint,
    prelude: Uint8Array | null,
    source: IpEndpoint | null = null,
  ): void {
    if (this.#isOver(pair)) return;
    this.#preludes[pair] = prelude;
    this.#dials.begin(pair, target, source);
  }

  cancelDial(pair: PairId): void {
    if (this.#isOver(pair)) return;
    this.#dials.abandon(pair);
  }

  ask(pair: PairId): void {
    if (this.#isOver(pair)) return;
    const backend = this.#pairs.fdOf(2 * pair + 1);
    assert(backend !== NONE, 'a backend is asked when the pair is dialled');
    const prelude = this.#preludes[pair] ?? null;
    this.#preludes[pair] = null;
    // Nothing stands in the socket's buffer, which has room for it; what fails here has failed.
    if (prelude !== null) this.#calls.say(backend, prelude);
    this.#early.listen(pair);
  }

  overhear(pair: PairId): void {
    if (this.#isOver(pair)) return;
    assert(
      this.#pairs.fdOf(2 * pair + 1) !== NONE,
      'a backend is overheard from its first byte on',
    );
    this.#relay.attention.overhear(pair);
  }

  overhearDone(pair: PairId): void {
    assert(this.#pairs.phase[pair] !== FREE, 'the pair is in use');
    this.#relay.attention.overhearDone(pair);
  }

  relay(pair: PairId): void {
    if (this.#isOver(pair)) return;
    assert(this.#pairs.fdOf(2 * pair + 1) !== NONE, 'a pair that relays is connected');
    const prelude = this.#preludes[pair] ?? null;
    this.#preludes[pair] = null;
    const buffer = prelude === null ? this.#early.takeBuffer(pair) : NONE;
    if (buffer !== NONE) this.#relay.beginWith(pair, buffer, this.#early.keptBytes(pair));
    else this.#relay.begin(pair, prelude, this.#early.take(pair));
  }

  close(pair: PairId, how: 'flush' | 'reset'): void {
    const phase = this.#pairs.phase[pair];
    assert(phase !== FREE, 'the pair is in use');
    if (phase === ENDING) return;
    if (how === 'reset') {
      this.#ending.reset(pair, { kind: 'closed' });
      return;
    }
    if (phase === RELAY) this.#relay.flush(pair);
    else if (phase === EARLY) {
      this.#early.abandon(pair);
      this.#dials.abandon(pair);
      this.#linger.begin(pair);
    } else return;
    this.#ending.later(pair, LINGER_MS, () => this.#ending.reset(pair, { kind: 'closed' }));
  }

  /** Ends everything, without another edge; `quiet` is true some turns later. */
  stop(): void {
    this.#edges = NO_EDGES;
    this.#accepts.closeAll();
    for (let pair = 0; pair < this.capacity; pair++) {
      const phase = this.#pairs.phase[pair];
      if (phase !== FREE && phase !== ENDING) this.#ending.reset(pair, { kind: 'closed' });
    }
    this.#pipes.closeIdle();
  }

  /** True when no operation is in flight and no descriptor is held. */
  get quiet(): boolean {
    this.#pipes.closeIdle();
    return this.#pairs.free === this.capacity && this.#accepts.idle && this.#dials.idle;
  }

  /** True when nothing can change any more; of another pair the relay has not begun. */
  #isOver(pair: PairId): boolean {
    const phase = this.#pairs.phase[pair];
    assert(phase !== FREE && phase !== RELAY, 'what comes before a relay is called before it');
    return phase !== EARLY;
  }
}
