/**
 * The UDP half of the node engine: node:dgram, one connected socket a flow. A datagram costs no
 * object of ours: flows are found by number, counters are typed arrays.
 */
import type { RemoteInfo, Socket } from 'node:dgram';
import { assert, present } from '../../core/assert.js';
import type { FlowId } from '../../core/brand.js';
import type { Endpoint, IpEndpoint } from '../../core/endpoint.js';
import { MAX_DATAGRAM_BYTES } from '../../core/limits.js';
import type { DialFailure } from '../../core/outcome.js';
import type { ListenSource } from '../../core/plan.js';
import type { ReplySocket } from '../../kernel/reply_socket.js';
import type { ListenerKey, ListenOutcome } from '../../session/tcp_port.js';
import {
  type Framing,
  HELD_DATAGRAM_BYTES,
  HELD_DATAGRAMS,
  type UdpEdges,
  type UdpEngine,
} from '../../session/udp_port.js';
import { dropReasonOf } from '../failure.js';
import { FirstDatagrams } from '../first_datagrams.js';
import { OwnListeners } from '../own_listeners.js';
import { dropReason, isUnreachable } from './failure.js';
import { localAddresses } from './local_addresses.js';
import { Polled } from './polled.js';
import { oneReader } from './udp_catch_all.js';
import type { NodeUdpDeps } from './udp_deps.js';
import type { Downstream } from './udp_downstream.js';
import { NO_PORT, NodeFlow, payloadOf, peerOf, type Sent, type Upstream } from './udp_flow.js';
import { UdpReceiver, type UdpReceiverDeps } from './udp_receiver.js';
import { discard, openConnected } from './udp_socket.js';

/** The session's counters are looked at after traffic, but not more often than this. */
const TOUCH_MS = 100;
/** Bytes that wait in Node.js for room in a socket's buffer; beyond, datagrams are dropped. */
const MAX_QUEUED_BYTES = 1_048_576;

export class NodeUdp implements UdpEngine {
  readonly lastActivityMs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  readonly datagramsIn: Float64Array;
  readonly datagramsOut: Float64Array;
  readonly capacity: number;
  readonly #deps: NodeUdpDeps & UdpReceiverDeps;
  readonly #receivers = new Map<ListenerKey, UdpReceiver>();
  readonly #ownListeners = new OwnListeners();
  readonly #flows: (NodeFlow | undefined)[] = [];
  /** Numbers below `#flows.length` that are free. */
  readonly #free: FlowId[] = [];
  /** What can be sent again when its backend is not there. */
  readonly #firsts: FirstDatagrams;
  #heldBytes = 0;
  #edges: UdpEdges | null = null;
  /** The flow that the datagram at hand belongs to; null: none that was known before. */
  #inHand: FlowId | null = null;
  #touch: () => void = () => {};
  #touchedMs = 0;

  constructor(capacity: number, deps: NodeUdpDeps) {
    const polled = new Polled(deps.polls ?? (() => {}));
    this.#deps = { addresses: localAddresses, ...deps, polled, reader: oneReader(deps.kernel) };
    this.capacity = capacity;
    this.#firsts = new FirstDatagrams(capacity);
    this.lastActivityMs = new Float64Array(capacity);
    this.bytesIn = new Float64Array(capacity);
    this.bytesOut = new Float64Array(capacity);
    this.datagramsIn = new Float64Array(capacity);
    this.datagramsOut = new Float64Array(capacity);
  }

  /** `touch` asks for a tick after this turn: deadlines or counters have changed. */
  attach(edges: UdpEdges, touch: () => void): void {
    this.#edges = edges;
    this.#touch = touch;
  }

  /** Closes everything; flows are gone without an edge. */
  stop(): void {
    for (const flow of this.#flows) if (flow !== undefined) this.closeFlow(flow.id);
    for (const key of [...this.#receivers.keys()]) this.closeListener(key);
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
    const before = from === null ? null : (this.#receivers.get(from) ?? null);
    const outcome = receiver.open(source, before);
    if (outcome.ok) {
      this.#receivers.set(key, receiver);
      if (outcome.local.kind === 'ip') this.#ownListeners.opened(key, outcome.local);
    }
    return outcome;
  }

  setFraming(key: ListenerKey, framing: Framing): void {
    const receiver = present(this.#receivers.get(key), 'a listener is open when it is framed');
    receiver.framing = framing;
  }

  /** What the kernel has is read first, as far as one turn of the event loop reads. */
  async leaveListener(key: ListenerKey): Promise<void> {
    const receiver = present(this.#receivers.get(key), 'a listener is open when it is left');
    await new Promise((resolve) => setImmediate(resolve));
    receiver.leave();
  }

  closeListener(key: ListenerKey): void {
    this.#receivers.get(key)?.close();
    this.#receivers.delete(key);
    this.#ownListeners.closed(key);
  }

  client(id: FlowId): IpEndpoint {
    return this.#flow(id).client;
  }

  local(id: FlowId): IpEndpoint {
    return this.#flow(id).down.local;
  }

  openFlow(id: FlowId, target: Endpoint, prelude: Uint8Array | null): 'open' | DialFailure {
    const flow = this.#flow(id);
    this.#closeUpstream(flow);
    if (target.kind === 'unix') return 'other';
    const opened = openConnected(target, this.#deps);
    if (!opened.ok) return opened.error;
    flow.up = this.#upstream(flow, opened.value);
    flow.prelude = prelude;
    const held = flow.held ?? [];
    flow.held = null;
    for (const payload of held) {
      this.#heldBytes -= payload.length;
      this.#forward(flow, payload, this.#sentOf(flow, flow.up, payload.length));
    }
    return 'open';
  }

  closeFlow(id: FlowId): number {
    const flow = this.#flow(id);
    this.#firsts.forget(id);
    const lost = flow.held?.length ?? 0;
    for (const payload of flow.held ?? []) this.#heldBytes -= payload.length;
    this.#closeUpstream(flow);
    flow.down.remove(flow);
    this.#flows[id] = undefined;
    this.#free.push(id);
    this.#touch();
    return lost;
  }

  /** What breaks in dealing with one datagram ends its flow, or costs the datagram. */
  #received(receiver: UdpReceiver, down: Downstream, datagram: Buffer, from: RemoteInfo): void {
    this.#inHand = null;
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
      const unwrapped = this.#edge().unwrap(down.key, peerOf(from), datagram);
      if (unwrapped.kind === 'drop') return;
      tag = unwrapped.tag;
      payload = datagram.subarray(unwrapped.offset);
    }
    const flow = down.find(from.address, from.port, tag);
    if (flow === undefined) return this.#first(down, payload, from, tag);
    this.#inHand = flow.id;
    if (flow.held !== null) return this.#hold(flow, payload);
    this.#firsts.forget(flow.id);
    const verdict = this.#edge().fromClient(flow.id);
    if (verdict === 'forward') return this.#forward(flow, payload);
    if (verdict === 'hold') {
      this.#closeUpstream(flow);
      flow.held = [];
      this.#hold(flow, payload);
    }
  }

  #first(down: Downstream, payload: Buffer, from: RemoteInfo, tag: string): void {
    const edges = this.#edge();
    const client = peerOf(from);
    if (this.#ownListeners.havePort(client.port)) {
      const isLoop = this.#ownListeners.have(client, this.#deps.clock.nowMs());
      if (isLoop) return edges.dropped(down.key, null, 'loop');
    }
    const id = this.#takeNumber();
    if (id === null) return edges.dropped(down.key, null, 'flow-limit');
    const flow = new NodeFlow(id, down, client, from.address, tag);
    flow.replied = (error, bytes) => {
      if (error !== null) this.#notReplied(flow, error, bytes ?? flow.lastReplyBytes);
    };
    this.#flows[id] = flow;
    down.add(flow);
    this.lastActivityMs[id] = this.#deps.clock.nowMs();
    this.bytesIn[id] = 0;
    this.bytesOut[id] = 0;
    this.datagramsIn[id] = 0;
    this.datagramsOut[id] = 0;
    // Only a flow that has to wait takes room of what is held for all.
    if (edges.newFlow(down.key, id) !== 'kept') this.closeFlow(id);
    else if (flow.held === null) this.#forward(flow, payload);
    else this.#hold(flow, payload);
    this.#touch();
  }

  #hold(flow: NodeFlow, payload: Buffer): void {
    const held = flow.held ?? [];
    const bytes = this.#heldBytes + payload.length;
    if (held.length >= HELD_DATAGRAMS || bytes > HELD_DATAGRAM_BYTES) {
      return this.#edge().dropped(flow.down.key, flow.id, 'send-queue-full');
    }
    held.push(payload);
    this.#heldBytes = bytes;
  }

  /** `sent`: for one of several that leave in the same turn. */
  #forward(flow: NodeFlow, payload: Buffer, sent?: Sent): void {
    const { id, up, prelude } = flow;
    if (up === null) return this.#edge().dropped(flow.down.key, id, 'send-error');
    const bytes = payload.length + (prelude?.length ?? 0);
    if (bytes > MAX_DATAGRAM_BYTES) {
      return this.#edge().dropped(flow.down.key, id, 'too-large');
    }
    const { socket } = up;
    if (socket.getSendQueueSize() > MAX_QUEUED_BYTES) {
      return this.#edge().dropped(flow.down.key, id, 'send-queue-full');
    }
    if (this.datagramsIn[id] === 0) this.#firsts.keep(id, payload);
    else this.#firsts.forget(id);
    up.lastBytes = payload.length;
    if (prelude === null) socket.send(payload, sent ?? up.sent);
    else socket.send([prelude, payload], sent ?? up.sent);
    this.#count(id, this.bytesIn, this.datagramsIn, payload.length);
  }

  #replied(flow: NodeFlow, payload: Buffer): void {
    const { id, down, client, host } = flow;
    const { socket, replies } = down;
    this.#firsts.forget(id);
    if (replies !== null) return this.#replyBy(replies, flow, payload);
    if (socket.getSendQueueSize() > MAX_QUEUED_BYTES) {
      return this.#edge().dropped(down.key, id, 'send-queue-full');
    }
    flow.lastReplyBytes = payload.length;
    // To port 0 nothing can be sent, and node:dgram takes it for a mistake of its caller.
    if (client.port === 0) queueMicrotask(() => flow.replied(NO_PORT));
    else socket.send(payload, client.port, host, flow.replied);
    this.#count(id, this.bytesOut, this.datagramsOut, payload.length);
    this.#edge().fromBackend(id);
  }

  #replyBy(replies: ReplySocket, { id, down, client }: NodeFlow, payload: Buffer): void {
    const sent = replies.send(payload, client);
    if (!sent.ok) return this.#edge().dropped(down.key, id, dropReasonOf(sent.error.errno));
    this.#count(id, this.bytesOut, this.datagramsOut, payload.length);
    this.#edge().fromBackend(id);
  }

  /**
   * A datagram counts when it is handed over, and not when the kernel has taken it: the session
   * that ends a flow by its replies must know all datagrams that are still to be answered. What the
   * kernel refused is taken back, unless the flow and its account are closed by now: then it is a
   * drop of its listener.
   */
  #notReplied(flow: NodeFlow, error: Error, bytes: number): void {
    if (this.#flows[flow.id] !== flow) return this.#lost(flow, error);
    this.#alone(flow, () => {
      this.#count(flow.id, this.bytesOut, this.datagramsOut, -bytes, -1);
      this.#edge().dropped(flow.down.key, flow.id, dropReason(error));
    });
  }

  #count(
    id: FlowId,
    bytes: Float64Array,
    datagrams: Float64Array,
    length: number,
    count = 1,
  ): void {
    const nowMs = this.#deps.clock.nowMs();
    bytes[id] = (bytes[id] ?? 0) + length;
    datagrams[id] = (datagrams[id] ?? 0) + count;
    this.lastActivityMs[id] = nowMs;
    if (nowMs < this.#touchedMs + TOUCH_MS) return;
    this.#touchedMs = nowMs;
    this.#touch();
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
    socket.on('message', (payload) => this.#repliedAlone(flow, payload));
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
    // Node.js gives up what it has not sent yet when a socket closes.
    if (flow.up !== up && payloadBytes !== null) return this.#lost(flow, error);
    if (flow.up !== up) return;
    this.#alone(flow, () => {
      if (isUnreachable(error)) return this.#unreachable(flow);
      if (payloadBytes !== null) {
        this.#count(flow.id, this.bytesIn, this.datagramsIn, -payloadBytes, -1);
      }
      this.#edge().dropped(flow.down.key, flow.id, dropReason(error));
    });
  }

  /** Of a flow that is over, or has gone to another backend since. */
  #lost(flow: NodeFlow, error: Error): void {
    const id = this.#flows[flow.id] === flow ? flow.id : null;
    this.#edge().dropped(flow.down.key, id, dropReason(error));
  }

  #repliedAlone(flow: NodeFlow, payload: Buffer): void {
    try {
      this.#replied(flow, payload);
    } catch (error) {
      this.#edge().broken(flow.id, error);
    }
  }

  #alone(flow: NodeFlow, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#edge().broken(flow.id, error);
    }
  }

  #unreachable(flow: NodeFlow): void {
    const { id } = flow;
    const first = this.#firsts.take(id);
    if (first === null) {
      this.#edge().unreachable(id, 'later');
      return;
    }
    this.#count(id, this.bytesIn, this.datagramsIn, -first.length, -1);
    flow.held = [Buffer.from(first.buffer, first.byteOffset, first.length)];
    this.#heldBytes += first.length;
    const verdict = this.#edge().unreachable(id, 'first');
    this.#touch();
    if (verdict !== 'drop' || this.#flows[id] !== flow) return;
    this.#heldBytes -= first.length;
    flow.held = null;
  }

  #closeUpstream(flow: NodeFlow): void {
    if (flow.up !== null) discard(flow.up.socket);
    flow.up = null;
  }

  #takeNumber(): FlowId | null {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    return this.#flows.length < this.capacity ? (this.#flows.length as FlowId) : null;
  }

  #flow(id: FlowId): NodeFlow {
    return present(this.#flows[id], 'a flow is open when it is asked about');
  }

  #edge(): UdpEdges {
    assert(this.#edges !== null, 'an engine is attached before it receives');
    return this.#edges;
  }
}
