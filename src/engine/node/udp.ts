/**
 * The UDP half of the node engine: node:dgram, one connected socket a flow. A datagram costs no
 * object of ours: flows are found by number, counters are typed arrays.
 */
import type { RemoteInfo, Socket } from 'node:dgram';
import { present } from '../../core/assert.js';
import type { FlowId } from '../../core/brand.js';
import type { Endpoint, IpEndpoint, PeerEndpoint } from '../../core/endpoint.js';
import { MAX_DATAGRAM_BYTES } from '../../core/limits.js';
import type { DialFailure } from '../../core/outcome.js';
import type { ListenSource } from '../../core/plan.js';
import type { ListenerKey, ListenOutcome } from '../../session/tcp_port.js';
import type { Framing, UdpEdges, UdpEngine } from '../../session/udp_port.js';
import { FirstDatagrams } from '../first_datagrams.js';
import { HeldDatagrams } from '../held_datagrams.js';
import { takeBack } from '../sent_back.js';
import { dropReason, isUnreachable } from './failure.js';
import { FlowTable } from './flow_table.js';
import { localAddresses } from './local_addresses.js';
import { Polled } from './polled.js';
import { oneReader } from './udp_catch_all.js';
import type { NodeUdpDeps } from './udp_deps.js';
import type { Downstream } from './udp_downstream.js';
import {
  MAX_QUEUED_BYTES,
  NodeFlow,
  payloadOf,
  type Sent,
  senderOf,
  type Upstream,
} from './udp_flow.js';
import { UdpReceiver, type UdpReceiverDeps } from './udp_receiver.js';
import { UdpReceivers } from './udp_receivers.js';
import { UdpReplies } from './udp_replies.js';
import { discard, openConnected } from './udp_socket.js';
import { UndoneDatagrams } from './udp_undone.js';

export class NodeUdp implements UdpEngine {
  readonly lastActivityMs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  readonly datagramsIn: Float64Array;
  readonly datagramsOut: Float64Array;
  readonly capacity: number;
  readonly #deps: NodeUdpDeps & UdpReceiverDeps;
  readonly #receivers = new UdpReceivers();
  readonly #table: FlowTable;
  readonly #undone: UndoneDatagrams;
  readonly #replies: UdpReplies;
  /** What can be sent again when its backend is not there. */
  readonly #firsts: FirstDatagrams;
  readonly #held = new HeldDatagrams();
  #edges: UdpEdges | null = null;
  /** The flow that the datagram at hand belongs to; null: none that was known before. */
  #inHand: FlowId | null = null;
  #touch: () => void = () => {};
  readonly #edge = (): UdpEdges => present(this.#edges, 'an engine is attached before it receives');
  readonly #nowMs = (): number => this.#deps.clock.nowMs();

  constructor(capacity: number, deps: NodeUdpDeps) {
    const polled = new Polled(deps.polls ?? (() => {}));
    this.#deps = { addresses: localAddresses, ...deps, polled, reader: oneReader(deps.kernel) };
    this.capacity = capacity;
    this.#firsts = new FirstDatagrams(capacity);
    this.#table = new FlowTable(capacity, deps.clock, () => this.#touch());
    this.#undone = new UndoneDatagrams(this.#table, this.#edge);
    this.#replies = new UdpReplies(this.#table, this.#firsts, this.#undone, this.#edge);
    this.lastActivityMs = this.#table.lastActivityMs;
    this.bytesIn = this.#table.bytesIn;
    this.bytesOut = this.#table.bytesOut;
    this.datagramsIn = this.#table.datagramsIn;
    this.datagramsOut = this.#table.datagramsOut;
  }

  /** `touch` asks for a tick after this turn: deadlines or counters have changed. */
  attach(edges: UdpEdges, touch: () => void): void {
    this.#edges = edges;
    this.#touch = touch;
  }

  get isIdle(): boolean {
    return this.#table.isEmpty;
  }

  /** Closes everything; flows are gone without an edge. */
  stop(): void {
    for (const flow of this.#table.all()) this.closeFlow(flow.id);
    this.#receivers.closeAll();
  }

  async openListener(
    key: ListenerKey,
    source: ListenSource,
    framing: Framing,
    from: ListenerKey | null = null,
  ): Promise<ListenOutcome> {
    const receiver = new UdpReceiver(key, framing, this.#deps, {
      received: (down, payload, from) => this.#received(receiver, down, payload, from),
      dropped: (reason) => this.#edge().dropped(key, null, reason),
      broken: (error) => this.#edge().broken(null, error),
    });
    return this.#receivers.open(key, receiver, source, from);
  }

  setFraming(key: ListenerKey, framing: Framing): void {
    this.#receivers.setFraming(key, framing);
  }

  leaveListener(key: ListenerKey): Promise<void> {
    return this.#receivers.leave(key);
  }

  closeListener(key: ListenerKey): void {
    this.#receivers.close(key);
  }

  client(id: FlowId): PeerEndpoint {
    return this.#table.get(id).client;
  }

  local(id: FlowId): IpEndpoint {
    return this.#table.get(id).down.local;
  }

  openFlow(
    id: FlowId,
    target: Endpoint,
    prelude: Uint8Array | null,
    source: IpEndpoint | null = null,
  ): 'open' | DialFailure {
    const flow = this.#table.get(id);
    this.#closeUpstream(flow);
    if (target.kind === 'unix') return 'other';
    const opened = openConnected(target, source, this.#deps);
    if (!opened.ok) return opened.error;
    flow.up = this.#upstream(flow, opened.value);
    flow.prelude = prelude;
    for (const payload of this.#held.take(id)) {
      this.#forward(flow, payload, this.#sentOf(flow, flow.up, payload.length));
    }
    return 'open';
  }

  closeFlow(id: FlowId): number {
    const flow = this.#table.get(id);
    this.#firsts.forget(id);
    const lost = this.#held.take(id).length;
    this.#closeUpstream(flow);
    flow.down.remove(flow);
    this.#table.remove(id);
    this.#touch();
    return lost;
  }

  /** What breaks in dealing with one datagram ends its flow, or costs the datagram. */
  #received(receiver: UdpReceiver, down: Downstream, datagram: Buffer, from: RemoteInfo): void {
    this.#inHand = null;
    if (this.isIdle) this.#touch();
    try {
      this.#take(receiver, down, datagram, from);
    } catch (error) {
      this.#edge().broken(this.#inHand, error);
    }
  }

  #take(receiver: UdpReceiver, down: Downstream, datagram: Buffer, from: RemoteInfo): void {
    let tag = '';
    let payload = datagram;
    if (receiver.framing === 'proxied') {
      const unwrapped = this.#edge().unwrap(down.key, senderOf(from), datagram);
      if (unwrapped.kind === 'drop') return;
      tag = unwrapped.tag;
      payload = datagram.subarray(unwrapped.offset);
    }
    const flow = down.find(from.address, from.port, tag);
    if (flow === undefined) return this.#first(down, payload, from, tag);
    this.#inHand = flow.id;
    if (this.#held.holds(flow.id)) return this.#hold(flow, payload);
    this.#firsts.forget(flow.id);
    const decision = this.#edge().fromClient(flow.id);
    if (decision === 'forward') return this.#forward(flow, payload);
    if (decision === 'hold') {
      this.#closeUpstream(flow);
      this.#held.begin(flow.id);
      this.#hold(flow, payload);
    }
  }

  #first(down: Downstream, payload: Buffer, from: RemoteInfo, tag: string): void {
    const edges = this.#edge();
    const client = senderOf(from);
    if (this.#receivers.isOwn(client, this.#nowMs)) return edges.dropped(down.key, null, 'loop');
    const id = this.#table.takeNumber();
    if (id === null) return edges.dropped(down.key, null, 'flow-limit');
    const flow = new NodeFlow(id, down, client, from.address, tag);
    flow.replied = (error, bytes) => {
      if (error !== null) this.#replies.failed(flow, error, bytes ?? flow.lastReplyBytes);
    };
    this.#table.add(flow);
    this.#held.begin(id);
    down.add(flow);
    // Only a flow that has to wait takes room of what is held for all.
    if (edges.newFlow(down.key, id) !== 'kept') this.closeFlow(id);
    else if (this.#held.holds(id)) this.#hold(flow, payload);
    else this.#forward(flow, payload);
    this.#touch();
  }

  #hold(flow: NodeFlow, payload: Buffer): void {
    if (this.#held.add(flow.id, payload) === 'held') return;
    this.#edge().dropped(flow.down.key, flow.id, 'send-queue-full');
  }

  /** `sent`: for one of several that leave in the same turn. */
  #forward(flow: NodeFlow, payload: Uint8Array, sent?: Sent): void {
    const { id, up, prelude } = flow;
    if (up === null) return this.#edge().dropped(flow.down.key, id, 'send-error');
    const bytes = payload.length + (prelude?.length ?? 0);
    if (bytes > MAX_DATAGRAM_BYTES) return this.#edge().dropped(flow.down.key, id, 'too-large');
    const { socket } = up;
    if (socket.getSendQueueSize() > MAX_QUEUED_BYTES) {
      return this.#edge().dropped(flow.down.key, id, 'send-queue-full');
    }
    if (this.datagramsIn[id] === 0) this.#firsts.keep(id, payload);
    else this.#firsts.forget(id);
    up.lastBytes = payload.length;
    if (prelude === null) socket.send(payload, sent ?? up.sent);
    else socket.send([prelude, payload], sent ?? up.sent);
    this.#table.count(id, this.bytesIn, this.datagramsIn, payload.length);
  }

  /** The flow's end of a connected socket; one set of callbacks for all of its datagrams. */
  #upstream(flow: NodeFlow, socket: Socket): Upstream {
    const up: Upstream = {
      socket,
      lastBytes: 0,
      sent: (error, bytes) => {
        if (error !== null) this.#notSent(flow, up, error, payloadOf(flow, bytes) ?? up.lastBytes);
      },
    };
    socket.on('message', (payload) => this.#replies.sendAlone(flow, payload));
    // recvmsg(2) reports what ICMP said of earlier datagrams (ip(7), IP_RECVERR), send(2) too.
    socket.on('error', (error) => this.#notSent(flow, up, error, null));
    return up;
  }

  /** What the send of one datagram of `payloadBytes` reports to. */
  #sentOf(flow: NodeFlow, up: Upstream, payloadBytes: number): Sent {
    return (error) => {
      if (error !== null) this.#notSent(flow, up, error, payloadBytes);
    };
  }

  /** `payloadBytes`: of the datagram that was refused; null: it was one of the past. */
  #notSent(flow: NodeFlow, up: Upstream, error: Error, payloadBytes: number | null): void {
    const undone = (bytes: number): void => this.#undone.undone(flow, { way: 'in', bytes }, error);
    // Node.js gives up what it has not sent yet when a socket closes.
    if (flow.up !== up) return payloadBytes === null ? undefined : undone(payloadBytes);
    this.#alone(flow, () => {
      // What opened the flow has come back by itself; else the error is that of an earlier one.
      if (isUnreachable(error) && (this.#unreachable(flow, up) || payloadBytes === null)) return;
      if (payloadBytes !== null) undone(payloadBytes);
      else this.#edge().dropped(flow.down.key, flow.id, dropReason(error));
    });
  }

  #alone(flow: NodeFlow, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#edge().broken(flow.id, error);
    }
  }

  /** Whether the datagram that opened the flow is what came back. */
  #unreachable(flow: NodeFlow, { lastBytes }: Upstream): boolean {
    const { id } = flow;
    const first = this.#firsts.take(id);
    if (first === null) {
      takeBack(this, id, lastBytes);
      this.#edge().unreachable(id, 'later');
      return false;
    }
    this.#table.count(id, this.bytesIn, this.datagramsIn, -first.length, -1);
    this.#held.addFirst(id, first);
    const decision = this.#edge().unreachable(id, 'first');
    this.#touch();
    if (decision === 'drop' && this.#table.has(flow)) this.#held.take(id);
    return true;
  }

  #closeUpstream(flow: NodeFlow): void {
    if (flow.up !== null) discard(flow.up.socket);
    flow.up = null;
  }
}
