/** The UDP port over io_uring: listeners, and flows that open, move and close. */
import { assert } from '../../core/assert.js';
import type { FlowId } from '../../core/brand.js';
import type { Endpoint, IpEndpoint, PeerEndpoint } from '../../core/endpoint.js';
import type { DialFailure } from '../../core/outcome.js';
import type { ListenSource } from '../../core/plan.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
import { enlargeReceiveBuffer, tellLocalAddress } from '../../kernel/datagram_sockets.js';
import type { Kernel } from '../../kernel/foreign.js';
import type { MappedMemory } from '../../kernel/memory.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import type { ListenerKey, ListenOutcome } from '../../session/tcp_port.js';
import type { Framing, UdpEdges, UdpEngine } from '../../session/udp_port.js';
import { dialFailureOf, listenSentence, sourceFailureOf } from '../failure.js';
import { OwnListeners } from '../own_listeners.js';
import type { SelfDials } from '../self_dials.js';
import type { Delays } from './delays.js';
import { Flows } from './flows.js';
import { listenOn } from './listen.js';
import type { Loop } from './loop.js';
import { UdpSockets } from './udp_sockets.js';
import { UdpTraffic } from './udp_traffic.js';

/** What the UDP port needs and may fail to be had. */
export interface UdpMeans {
  readonly kernel: Kernel;
  readonly loop: Loop;
  readonly delays: Delays;
  readonly pool: BufferPool;
  readonly calls: SocketCalls;
  readonly selfDials: SelfDials;
  /** `messageMemoryBytes` of the pool's buffers, and `TEMPLATE_BYTES`. */
  readonly messages: MappedMemory;
  readonly template: MappedMemory;
}

export class UringUdp implements UdpEngine {
  readonly capacity: number;
  readonly lastActivityMs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  readonly datagramsIn: Float64Array;
  readonly datagramsOut: Float64Array;

  readonly #kernel: Kernel;
  readonly #flows: Flows;
  readonly #sockets: UdpSockets;
  readonly #traffic: UdpTraffic;
  readonly #ownListeners = new OwnListeners();
  /** Called when a promise of this port was kept: it is awaited. */
  readonly #kept: () => void;
  #edges: UdpEdges | null = null;

  constructor(means: UdpMeans, capacity: number, kept: () => void) {
    const { kernel, loop, delays, pool, calls, selfDials, messages, template } = means;
    const edges = (): UdpEdges => {
      assert(this.#edges !== null, 'edges are attached before the loop runs');
      loop.wantTick();
      return this.#edges;
    };
    // Where the kernel maps memory is random (ASLR), and that is all a seed must be.
    const flows = new Flows(capacity, messages.address / 4096);
    const ownListeners = this.#ownListeners;
    const parts = { loop, pool, flows, calls, selfDials, messages, edges, ownListeners };
    const traffic = new UdpTraffic(parts);
    this.capacity = capacity;
    this.lastActivityMs = flows.lastActivityMs;
    this.bytesIn = flows.bytesIn;
    this.bytesOut = flows.bytesOut;
    this.datagramsIn = flows.datagramsIn;
    this.datagramsOut = flows.datagramsOut;
    this.#kernel = kernel;
    this.#flows = flows;
    this.#traffic = traffic;
    this.#sockets = new UdpSockets(loop, pool, delays, template, (socket, buffer) => {
      traffic.received(socket, buffer);
    });
    this.#kept = kept;
    loop.add({ before: () => pool.supply() });
  }

  attach(edges: UdpEdges): void {
    this.#edges = edges;
  }

  async openListener(
    key: ListenerKey,
    source: ListenSource,
    framing: Framing,
    from: ListenerKey | null = null,
  ): Promise<ListenOutcome> {
    if (from !== null) await this.leaveListener(from);
    this.#kept();
    const { local } = source;
    if (local.kind === 'unix') {
      return { ok: false, errno: 'ENOTSUP', sentence: listenSentence(local, 'ENOTSUP') };
    }
    const opened = listenOn(this.#kernel, source, 'udp', 0);
    if (!opened.ok) return opened.error;
    const socket = opened.value;
    assert(socket.local.kind === 'ip', 'what was bound to an IP address has one');
    enlargeReceiveBuffer(this.#kernel, socket.fd);
    tellLocalAddress(this.#kernel, socket.fd, local.family);
    this.#sockets.open(key, socket.fd, socket.local, framing);
    this.#ownListeners.opened(key, socket.local);
    return { ok: true, local: socket.local };
  }

  setFraming(key: ListenerKey, framing: Framing): void {
    this.#sockets.byKey(key).framing = framing;
  }

  leaveListener(key: ListenerKey): Promise<void> {
    return new Promise((resolve) => {
      this.#sockets.leave(key, () => {
        this.#kept();
        resolve();
      });
    });
  }

  closeListener(key: ListenerKey): void {
    this.#sockets.close(key);
    this.#ownListeners.closed(key);
  }

  client(flow: FlowId): PeerEndpoint {
    return this.#flows.client(flow);
  }

  local(flow: FlowId): IpEndpoint {
    return this.#flows.local(flow);
  }

  openFlow(
    flow: FlowId,
    target: Endpoint,
    prelude: Uint8Array | null,
    source: IpEndpoint | null = null,
  ): 'open' | DialFailure {
    const flows = this.#flows;
    assert(flows.isOpen(flow), 'a flow is known before it is opened');
    this.#traffic.closeUpstream(flow);
    if (target.kind === 'unix') return 'other';
    const opened = this.#traffic.upstreams.open(flow, flows.socketOf(flow).key, target, source);
    if (!opened.ok) {
      const { call, errno } = opened.error;
      return call === 'bind' ? sourceFailureOf(errno) : dialFailureOf(errno);
    }
    flows.upstream[flow] = opened.value;
    flows.preludes[flow] = prelude;
    this.#traffic.release(flow);
    return 'open';
  }

  closeFlow(flow: FlowId): number {
    assert(this.#flows.isOpen(flow), 'a flow is closed once');
    const lost = this.#traffic.held.take(flow).length;
    this.#traffic.firsts.forget(flow);
    this.#traffic.closeUpstream(flow);
    this.#flows.close(flow);
    return lost;
  }

  /** Ends everything, without another edge; `quiet` is true some turns later. */
  stop(): void {
    for (let flow = 0; flow < this.capacity; flow++) {
      if (this.#flows.isOpen(flow)) this.closeFlow(flow as FlowId);
    }
    this.#sockets.closeAll();
  }

  /** True when no operation is in flight and no descriptor is held. */
  get quiet(): boolean {
    return this.#flows.idle && this.#sockets.idle && this.#traffic.upstreams.idle;
  }
}
