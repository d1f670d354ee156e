/**
 * An engine without sockets: keys, holding and counting as the seam demands, and what it sent and
 * where as plain lists. Upstream targets that refuse are set by `refuse` and `icmp`.
 */
import assert from 'node:assert/strict';
import type { FlowId } from '../../../src/core/brand.js';
import type { Clock } from '../../../src/core/clock.js';
import {
  type Endpoint,
  formatAddress,
  type IpEndpoint,
  type PeerEndpoint,
  peerAt,
} from '../../../src/core/endpoint.js';
import type { DialFailure } from '../../../src/core/outcome.js';
import type { ListenSource } from '../../../src/core/plan.js';
import { takeBack } from '../../../src/engine/sent_back.js';
import type { ListenerKey, ListenOutcome } from '../../../src/session/tcp_port.js';
import {
  type Framing,
  HELD_DATAGRAMS,
  type UdpEdges,
  type UdpEngine,
} from '../../../src/session/udp_port.js';

interface Open {
  readonly key: ListenerKey;
  readonly address: string;
  readonly peer: IpEndpoint;
  target: string | null;
  prelude: string;
  /** null: not held */
  held: string[] | null;
  /** The only datagram so far, while it has no answer. */
  first: string | null;
}

export interface Sent {
  readonly to: string;
  readonly text: string;
}

export class FakeUdpEngine implements UdpEngine {
  readonly lastActivityMs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  readonly datagramsIn: Float64Array;
  readonly datagramsOut: Float64Array;
  readonly capacity: number;
  /** Everything that was sent to backends, and to clients. */
  readonly upstream: Sent[] = [];
  readonly downstream: Sent[] = [];
  readonly sockets = new Map<ListenerKey, Framing>();
  /** Sockets that take no more from clients. */
  readonly left = new Set<ListenerKey>();
  /** Backends (as text) that cannot be connected to, and why. */
  readonly failing = new Map<string, DialFailure>();
  readonly #clock: Clock;
  readonly #flows: (Open | undefined)[] = [];
  readonly #byAddress = new Map<string, FlowId>();
  #edges: UdpEdges | null = null;

  constructor(clock: Clock, capacity: number) {
    this.#clock = clock;
    this.capacity = capacity;
    this.lastActivityMs = new Float64Array(capacity);
    this.bytesIn = new Float64Array(capacity);
    this.bytesOut = new Float64Array(capacity);
    this.datagramsIn = new Float64Array(capacity);
    this.datagramsOut = new Float64Array(capacity);
  }

  attach(edges: UdpEdges): void {
    this.#edges = edges;
  }

  /** Flows whose number is in use. */
  get open(): number {
    return this.#byAddress.size;
  }

  // ---- what happens on the network ----

  /** A datagram of `peer` comes; text is its payload (a header is given as bytes of latin1). */
  receive(key: ListenerKey, peer: IpEndpoint, text: string): void {
    const edges = this.#attached();
    const framing = this.sockets.get(key);
    if (framing === undefined || this.left.has(key)) return;
    let address = `${key} ${formatAddress(peer)}`;
    let payload = text;
    if (framing === 'proxied') {
      const unwrapped = edges.unwrap(key, peerAt(peer), Buffer.from(text, 'latin1'));
      if (unwrapped.kind === 'drop') return;
      address += ` ${unwrapped.tag}`;
      payload = text.slice(unwrapped.offset);
    }
    const known = this.#byAddress.get(address);
    if (known !== undefined) return this.#toBackend(known, payload);
    const id = this.#freeNumber();
    if (id === null) return edges.dropped(key, null, 'flow-limit');
    const flow: Open = {
      key,
      address,
      peer,
      target: null,
      prelude: '',
      held: [payload],
      first: null,
    };
    this.#flows[id] = flow;
    this.#byAddress.set(address, id);
    this.lastActivityMs[id] = this.#clock.nowMs();
    for (const counter of [this.bytesIn, this.bytesOut, this.datagramsIn, this.datagramsOut]) {
      counter[id] = 0;
    }
    if (edges.newFlow(key, id) !== 'kept') this.closeFlow(id);
  }

  /** The backend of the flow of `peer` answers. */
  reply(peer: IpEndpoint, text: string): void {
    const id = this.flowOf(peer);
    const flow = this.#flow(id);
    assert.notEqual(flow.target, null, 'a flow without a socket gets no reply');
    flow.first = null;
    this.downstream.push({ to: formatAddress(peer), text });
    this.#count(id, this.bytesOut, this.datagramsOut, text);
    this.#attached().fromBackend(id);
  }

  /** An ICMP port unreachable comes for the flow of `peer`. */
  icmp(peer: IpEndpoint): void {
    const id = this.flowOf(peer);
    const flow = this.#flow(id);
    const { first } = flow;
    flow.first = null;
    if (first === null) {
      takeBack(this, id, this.upstream.at(-1)?.text.length ?? 0);
      this.#attached().unreachable(id, 'later');
      return;
    }
    this.#count(id, this.bytesIn, this.datagramsIn, first, -1);
    flow.held = [first];
    const decision = this.#attached().unreachable(id, 'first');
    if (decision === 'drop') flow.held = null;
  }

  flowOf(peer: IpEndpoint): FlowId {
    for (const [address, id] of this.#byAddress) {
      if (address.includes(` ${formatAddress(peer)}`)) return id;
    }
    throw new Error(`no flow of ${formatAddress(peer)}`);
  }

  // ---- UdpEngine ----

  async openListener(
    key: ListenerKey,
    source: ListenSource,
    framing: Framing,
    from: ListenerKey | null = null,
  ): Promise<ListenOutcome> {
    if (from !== null) await this.leaveListener(from);
    this.sockets.set(key, framing);
    return { ok: true, local: source.local };
  }

  setFraming(key: ListenerKey, framing: Framing): void {
    this.#mustBeEmpty(key);
    this.sockets.set(key, framing);
  }

  async leaveListener(key: ListenerKey): Promise<void> {
    assert(this.sockets.has(key), 'a socket is open when it is left');
    this.left.add(key);
  }

  closeListener(key: ListenerKey): void {
    this.#mustBeEmpty(key);
    assert(this.left.delete(key), 'a socket is left before it is closed');
    this.sockets.delete(key);
  }

  client(flow: FlowId): PeerEndpoint {
    return peerAt(this.#flow(flow).peer);
  }

  local(flow: FlowId): IpEndpoint {
    return { kind: 'ip', family: 4, host: '192.0.2.1', port: this.#flow(flow).key };
  }

  openFlow(id: FlowId, target: Endpoint, prelude: Uint8Array | null): 'open' | DialFailure {
    const flow = this.#flow(id);
    const text = formatAddress(target);
    const failure = this.failing.get(text);
    flow.target = failure === undefined ? text : null;
    if (failure !== undefined) return failure;
    flow.prelude = prelude === null ? '' : Buffer.from(prelude).toString('latin1');
    const held = flow.held ?? [];
    flow.held = null;
    for (const payload of held) this.#send(id, flow, payload);
    return 'open';
  }

  closeFlow(id: FlowId): number {
    const flow = this.#flow(id);
    this.#flows[id] = undefined;
    this.#byAddress.delete(flow.address);
    return flow.held?.length ?? 0;
  }

  #toBackend(id: FlowId, payload: string): void {
    const edges = this.#attached();
    const flow = this.#flow(id);
    if (flow.held === null) {
      flow.first = null;
      const decision = edges.fromClient(id);
      if (decision === 'drop') return;
      if (decision === 'forward') return this.#send(id, flow, payload);
      flow.held = [];
      flow.target = null;
    }
    if (flow.held.length < HELD_DATAGRAMS) flow.held.push(payload);
    else edges.dropped(flow.key, id, 'send-queue-full');
  }

  #send(id: FlowId, flow: Open, payload: string): void {
    assert.notEqual(flow.target, null, 'a flow without a socket forwards nothing');
    this.upstream.push({ to: flow.target ?? '', text: flow.prelude + payload });
    flow.first = this.datagramsIn[id] === 0 ? payload : null;
    this.#count(id, this.bytesIn, this.datagramsIn, payload);
  }

  /** `sign` -1: it was not handed on after all. */
  #count(id: FlowId, bytes: Float64Array, datagrams: Float64Array, text: string, sign = 1): void {
    bytes[id] = (bytes[id] ?? 0) + sign * text.length;
    datagrams[id] = (datagrams[id] ?? 0) + sign;
    this.lastActivityMs[id] = this.#clock.nowMs();
  }

  #freeNumber(): FlowId | null {
    for (let id = 0; id < this.capacity; id++) {
      if (this.#flows[id] === undefined) return id as FlowId;
    }
    return null;
  }

  #mustBeEmpty(key: ListenerKey): void {
    for (const flow of this.#flows) assert.notEqual(flow?.key, key, 'the socket has flows');
  }

  #flow(id: FlowId): Open {
    const flow = this.#flows[id];
    assert(flow !== undefined, `flow ${id} is closed`);
    return flow;
  }

  #attached(): UdpEdges {
    assert(this.#edges !== null, 'attach comes first');
    return this.#edges;
  }
}
