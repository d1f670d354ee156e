/**
 * What becomes of each datagram: it is forwarded, held or dropped, as the session says, and replies
 * go back to where the flow came from. A datagram of a known flow allocates nothing: it stays in
 * the buffer that the kernel chose, and the send names the same buffer.
 */
import type { FlowId } from '../../core/brand.js';
import { MAX_DATAGRAM_BYTES } from '../../core/limits.js';
import type { DatagramDrop } from '../../core/outcome.js';
import type { BufferPool } from '../../kernel/buffer_pool.js';
import type { MappedMemory } from '../../kernel/memory.js';
import { MSG_TRUNC, RECEIVED_FLAGS_AT, RECEIVED_PAYLOAD_BYTES_AT } from '../../kernel/messages.js';
import { decodePeer } from '../../kernel/sockaddr.js';
import type { SocketCalls } from '../../kernel/socket_calls.js';
import type { UdpEdges } from '../../session/udp_port.js';
import { FirstDatagrams } from '../first_datagrams.js';
import { HeldDatagrams } from '../held_datagrams.js';
import type { OwnListeners } from '../own_listeners.js';
import type { SelfDials } from '../self_dials.js';
import { takeBack } from '../sent_back.js';
import { Datagrams } from './datagrams.js';
import type { Flows } from './flows.js';
import type { Loop } from './loop.js';
import { NONE } from './pairs.js';
import { RefusedDatagrams } from './refused_datagrams.js';
import { UdpReplies } from './udp_replies.js';
import { NAME_AT, PAYLOAD_AT, type UdpSocket } from './udp_sockets.js';
import { Upstreams } from './upstreams.js';
import { FORWARD } from './user_data.js';

export interface UdpTrafficParts {
  readonly loop: Loop;
  readonly pool: BufferPool;
  readonly flows: Flows;
  readonly calls: SocketCalls;
  readonly selfDials: SelfDials;
  readonly messages: MappedMemory;
  readonly edges: () => UdpEdges;
  readonly ownListeners: OwnListeners;
}

export class UdpTraffic {
  readonly upstreams: Upstreams;
  readonly held = new HeldDatagrams();
  /** What can be sent again when its backend is not there. */
  readonly firsts: FirstDatagrams;

  readonly #parts: UdpTrafficParts;
  readonly #datagrams: Datagrams;
  /** The pool's memory in words. */
  readonly #words: Int32Array;
  readonly #refused: RefusedDatagrams;
  /** By flow: the turn in which it was last reported unreachable. */
  readonly #unreachableTurn: Float64Array;

  /** The flow that the datagram at hand belongs to; null: none that was known before. */
  #inHand: FlowId | null = null;

  constructor(parts: UdpTrafficParts) {
    const { loop, pool, flows, messages } = parts;
    this.#parts = parts;
    this.#words = new Int32Array(pool.bytes.buffer);
    this.#unreachableTurn = new Float64Array(flows.capacity);
    this.firsts = new FirstDatagrams(flows.capacity);
    this.#datagrams = new Datagrams(loop, pool, flows.addresses, messages, (buffer, answer) =>
      this.#refused.undelivered(buffer, answer),
    );
    const { calls, selfDials } = parts;
    const replies = new UdpReplies(parts, this.#datagrams, this.firsts, (flow) =>
      this.#unreachable(flow),
    );
    this.upstreams = new Upstreams(loop, pool, calls, selfDials, flows.capacity, replies);
    this.#refused = new RefusedDatagrams(parts, this.#datagrams, this.firsts, this.upstreams, {
      unreachable: (flow) => this.#unreachable(flow),
      forward: (flow, buffer, start, bytes) => this.#forward(flow, buffer, start, bytes),
      drop: (flow, reason, buffer) => this.#drop(flows.socketOf(flow), flow, reason, buffer),
    });
  }

  /** A datagram has come on `socket` into `buffer`. */
  received(socket: UdpSocket, buffer: number): void {
    this.#inHand = null;
    try {
      this.#take(socket, buffer);
    } catch (error) {
      // The buffer is not given back: its owner is unknown now.
      this.#parts.edges().broken(this.#inHand, error);
    }
  }

  #take(socket: UdpSocket, buffer: number): void {
    const { pool, flows } = this.#parts;
    const words = this.#words;
    const at = (buffer * pool.strideBytes) >> 2;
    let start = PAYLOAD_AT;
    let bytes = words[at + RECEIVED_PAYLOAD_BYTES_AT] ?? 0;
    let tag = '';
    if (((words[at + RECEIVED_FLAGS_AT] ?? 0) & MSG_TRUNC) !== 0) {
      this.#drop(socket, null, 'truncated', buffer);
      return;
    }
    if (socket.framing === 'proxied') {
      const peer = decodePeer(words, at + NAME_AT);
      const datagram = this.#payload(buffer, start, bytes);
      const unwrapped = this.#parts.edges().unwrap(socket.key, peer, datagram);
      if (unwrapped.kind === 'drop') {
        pool.recycle(buffer);
        return;
      }
      tag = unwrapped.tag;
      start += unwrapped.offset;
      bytes -= unwrapped.offset;
    }
    const flow = flows.find(socket, words, at, tag);
    if (flow === NONE) this.#first(socket, buffer, start, bytes, tag);
    else this.#next(flow, buffer, start, bytes);
  }

  /** Sends what is held; the flow has an upstream socket. */
  release(flow: number): void {
    const { pool, flows } = this.#parts;
    for (const payload of this.held.take(flow)) {
      const buffer = pool.take();
      if (buffer === NONE) {
        this.#parts.edges().dropped(flows.socketOf(flow).key, flow as FlowId, 'resource-limit');
        continue;
      }
      pool.bytes.set(payload, buffer * pool.strideBytes + PAYLOAD_AT);
      this.#refused.isNew(buffer);
      this.#forward(flow, buffer, PAYLOAD_AT, payload.length);
    }
  }

  closeUpstream(flow: number): void {
    const { flows } = this.#parts;
    const upstream = flows.upstream[flow] ?? NONE;
    if (upstream !== NONE) this.upstreams.close(upstream);
    flows.upstream[flow] = NONE;
  }

  #first(socket: UdpSocket, buffer: number, start: number, bytes: number, tag: string): void {
    const { flows, loop, pool } = this.#parts;
    if (this.#isLoop(buffer)) {
      this.#drop(socket, null, 'loop', buffer);
      return;
    }
    const flow = flows.open(socket, this.#words, (buffer * pool.strideBytes) >> 2, tag);
    if (flow === NONE) {
      this.#drop(socket, null, 'flow-limit', buffer);
      return;
    }
    flows.lastActivityMs[flow] = loop.nowMs;
    this.held.begin(flow);
    if (this.#parts.edges().newFlow(socket.key, flow as FlowId) !== 'kept') {
      this.closeUpstream(flow);
      this.held.take(flow);
      this.firsts.forget(flow);
      flows.close(flow);
      pool.recycle(buffer);
    } else if (this.held.holds(flow)) {
      this.#hold(flow, buffer, start, bytes);
    } else {
      this.#refused.isNew(buffer);
      this.#forward(flow, buffer, start, bytes);
    }
  }

  #isLoop(buffer: number): boolean {
    const { loop, pool, ownListeners } = this.#parts;
    const at = (buffer * pool.strideBytes) >> 2;
    // sockaddr_in and sockaddr_in6 alike: the port, in network order, behind the family.
    const portAt = (at + NAME_AT) * 4 + 2;
    const port = ((pool.bytes[portAt] ?? 0) << 8) | (pool.bytes[portAt + 1] ?? 0);
    if (!ownListeners.havePort(port)) return false;
    const source = decodePeer(this.#words, at + NAME_AT);
    return ownListeners.have(source, loop.nowMs);
  }

  #next(flow: number, buffer: number, start: number, bytes: number): void {
    this.#inHand = flow as FlowId;
    if (this.held.holds(flow)) {
      this.#hold(flow, buffer, start, bytes);
      return;
    }
    this.firsts.forget(flow);
    const decision = this.#parts.edges().fromClient(flow as FlowId);
    if (decision === 'forward') {
      this.#refused.isNew(buffer);
      this.#forward(flow, buffer, start, bytes);
    } else if (decision === 'hold') {
      this.closeUpstream(flow);
      this.held.begin(flow);
      this.#hold(flow, buffer, start, bytes);
    } else {
      this.#parts.pool.recycle(buffer);
    }
  }

  #hold(flow: number, buffer: number, start: number, bytes: number): void {
    const { flows, pool } = this.#parts;
    const kept = this.held.add(flow, this.#payload(buffer, start, bytes));
    if (kept === 'held') pool.recycle(buffer);
    else this.#drop(flows.socketOf(flow), flow, 'send-queue-full', buffer);
  }

  #forward(flow: number, buffer: number, start: number, bytes: number): void {
    const { flows, pool } = this.#parts;
    const upstream = flows.upstream[flow] ?? NONE;
    const prelude = flows.preludes[flow] ?? null;
    const preludeBytes = prelude?.length ?? 0;
    if (upstream === NONE || preludeBytes + bytes > MAX_DATAGRAM_BYTES) {
      const reason = upstream === NONE ? 'send-error' : 'too-large';
      this.#drop(flows.socketOf(flow), flow, reason, buffer);
      return;
    }
    if (flows.datagramsIn[flow] === 0) {
      this.firsts.keep(flow, this.#payload(buffer, start, bytes).slice());
    } else this.firsts.forget(flow);
    let from = start - preludeBytes;
    if (prelude !== null) {
      const base = buffer * pool.strideBytes;
      if (from < 0) {
        pool.bytes.copyWithin(base + preludeBytes, base + start, base + start + bytes);
        from = 0;
      }
      pool.bytes.set(prelude, base + from);
    }
    const { key } = flows.socketOf(flow);
    const generation = flows.generation[flow] ?? 0;
    this.#datagrams.describe(buffer, flow, generation, key, from, preludeBytes + bytes);
    this.#datagrams.preludeBytes[buffer] = preludeBytes;
    this.#datagrams.upstream[buffer] = upstream;
    this.#datagrams.upstreamGeneration[buffer] = this.upstreams.generationOf(upstream);
    this.#datagrams.forward(buffer, this.upstreams.fdOf(upstream));
    flows.lastBytesIn[flow] = bytes;
    flows.count(flow, FORWARD, bytes, 1, this.#parts.loop.nowMs);
  }

  #unreachable(flow: number): void {
    const { flows, loop } = this.#parts;
    const { turns } = loop;
    // Several datagrams meet one error in a turn; but a flow that has a copy has tried another
    // backend.
    if (this.#unreachableTurn[flow] === turns && !this.firsts.has(flow)) return;
    this.#unreachableTurn[flow] = turns;
    const first = this.firsts.take(flow);
    if (first === null) {
      takeBack(flows, flow, flows.lastBytesIn[flow] ?? 0);
      this.#parts.edges().unreachable(flow as FlowId, 'later');
      return;
    }
    const generation = flows.generation[flow];
    flows.count(flow, FORWARD, -first.length, -1, loop.nowMs);
    this.held.addFirst(flow, first);
    const decision = this.#parts.edges().unreachable(flow as FlowId, 'first');
    const same = flows.generation[flow] === generation;
    if (decision === 'drop' && same) this.held.take(flow);
  }

  #drop(socket: UdpSocket, flow: number | null, reason: DatagramDrop, buffer: number): void {
    this.#parts.pool.recycle(buffer);
    this.#parts.edges().dropped(socket.key, flow as FlowId | null, reason);
  }

  #payload(buffer: number, start: number, bytes: number): Uint8Array {
    const { pool } = this.#parts;
    const from = buffer * pool.strideBytes + start;
    return pool.bytes.subarray(from, from + bytes);
  }
}
