/** Datagrams that the kernel refused: taken back from the account, sent again, or dropped. */
import type { FlowId } from '../../core/brand.js';
import type { DatagramDrop } from '../../core/outcome.js';
import { errnoName } from '../../kernel/errno.js';
import type { ListenerKey } from '../../session/tcp_port.js';
import type { HandedOn } from '../../session/udp_port.js';
import { dropReasonOf, meansUnreachable } from '../failure.js';
import type { FirstDatagrams } from '../first_datagrams.js';
import type { Datagrams } from './datagrams.js';
import { NONE } from './pairs.js';
import type { UdpTrafficParts } from './udp_traffic.js';
import type { Upstreams } from './upstreams.js';
import { FORWARD } from './user_data.js';

export interface RefusedOwner {
  /** The backend of `flow` is not there. */
  readonly unreachable: (flow: number) => void;
  readonly forward: (flow: number, buffer: number, start: number, bytes: number) => void;
  readonly drop: (flow: number, reason: DatagramDrop, buffer: number) => void;
}

export class RefusedDatagrams {
  readonly #parts: UdpTrafficParts;
  readonly #datagrams: Datagrams;
  readonly #firsts: FirstDatagrams;
  readonly #upstreams: Upstreams;
  readonly #owner: RefusedOwner;
  /** By buffer: 1: it was sent once already, and ICMP's answer to an earlier one came instead. */
  readonly #again: Uint8Array;

  constructor(
    parts: UdpTrafficParts,
    datagrams: Datagrams,
    firsts: FirstDatagrams,
    upstreams: Upstreams,
    owner: RefusedOwner,
  ) {
    this.#parts = parts;
    this.#datagrams = datagrams;
    this.#firsts = firsts;
    this.#upstreams = upstreams;
    this.#owner = owner;
    this.#again = new Uint8Array(parts.pool.count);
  }

  /** What stands in `buffer` has not been sent yet. */
  isNew(buffer: number): void {
    this.#again[buffer] = 0;
  }

  undelivered(buffer: number, answer: number): void {
    try {
      this.#failedOnItsWay(buffer, answer);
    } catch (error) {
      const { flow, generation } = this.#datagrams;
      const id = flow[buffer] ?? 0;
      const same = this.#parts.flows.generation[id] === generation[buffer];
      this.#parts.edges().broken(same ? (id as FlowId) : null, error);
    }
  }

  #failedOnItsWay(buffer: number, answer: number): void {
    const { flows, pool } = this.#parts;
    const { flow, generation, way, start, bytes, preludeBytes } = this.#datagrams;
    const id = flow[buffer] ?? 0;
    const same = (): boolean => flows.generation[id] === generation[buffer];
    const code = errnoName(answer);
    const prelude = preludeBytes[buffer] ?? 0;
    const payloadBytes = (bytes[buffer] ?? 0) - prelude;
    if (!same()) {
      const counted = way[buffer] === FORWARD ? 'in' : 'out';
      this.#lost(buffer, dropReasonOf(code), { way: counted, bytes: payloadBytes });
      return;
    }
    const isPresent = this.#wentTo(flows.upstream[id] ?? NONE, buffer);
    if (way[buffer] === FORWARD && isPresent && meansUnreachable(code) && this.#firsts.has(id)) {
      // The flow's only datagram failed by itself: its copy goes on, and is counted there.
      pool.recycle(buffer);
      this.#owner.unreachable(id);
      return;
    }
    flows.count(id, way[buffer] ?? FORWARD, -payloadBytes, -1, this.#parts.loop.nowMs);
    if (way[buffer] !== FORWARD || !meansUnreachable(code) || this.#again[buffer] === 1) {
      this.#owner.drop(id, dropReasonOf(code), buffer);
      return;
    }
    // The error is that of an earlier datagram; this one was not even tried (udp(7)). One of a
    // backend that the flow has left since is not reported as the present backend's.
    if (isPresent) this.#owner.unreachable(id);
    this.#again[buffer] = 1;
    if (!same()) this.#lost(buffer, 'backend-unreachable');
    else if (flows.upstream[id] === NONE) {
      this.#owner.drop(id, 'backend-unreachable', buffer);
    } else this.#owner.forward(id, buffer, (start[buffer] ?? 0) + prelude, payloadBytes);
  }

  /** True when the datagram in `buffer` was sent to `upstream`, in its present use. */
  #wentTo(upstream: number, buffer: number): boolean {
    const datagrams = this.#datagrams;
    if (upstream === NONE || datagrams.upstream[buffer] !== upstream) return false;
    return datagrams.upstreamGeneration[buffer] === this.#upstreams.generationOf(upstream);
  }

  /** Its flow is over by now, and has `counted` it. */
  #lost(buffer: number, reason: DatagramDrop, counted?: HandedOn): void {
    const { pool, edges } = this.#parts;
    pool.recycle(buffer);
    edges().dropped((this.#datagrams.key[buffer] ?? 0) as ListenerKey, null, reason, counted);
  }
}
