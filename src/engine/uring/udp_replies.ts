/** What backends answer goes back to clients, in the buffer that it came in. */
import type { FlowId } from '../../core/brand.js';
import { errnoName } from '../../kernel/errno.js';
import type { ListenerKey } from '../../session/tcp_port.js';
import { dropReasonOf, meansUnreachable } from '../failure.js';
import type { FirstDatagrams } from '../first_datagrams.js';
import type { Datagrams } from './datagrams.js';
import { NONE } from './pairs.js';
import type { UdpTrafficParts } from './udp_traffic.js';
import type { UpstreamOwner } from './upstreams.js';
import { REPLY } from './user_data.js';

export class UdpReplies implements UpstreamOwner {
  readonly #parts: UdpTrafficParts;
  readonly #datagrams: Datagrams;
  readonly #firsts: FirstDatagrams;
  /** The backend of a flow is not there. */
  readonly #unreachable: (flow: number) => void;

  constructor(
    parts: UdpTrafficParts,
    datagrams: Datagrams,
    firsts: FirstDatagrams,
    unreachable: (flow: number) => void,
  ) {
    this.#parts = parts;
    this.#datagrams = datagrams;
    this.#firsts = firsts;
    this.#unreachable = unreachable;
  }

  broken(flow: number, error: unknown): void {
    this.#parts.edges().broken(flow as FlowId, error);
  }

  replied(flow: number, buffer: number, bytes: number): void {
    const { flows, loop } = this.#parts;
    this.#firsts.forget(flow);
    const { key, fd } = flows.socketOf(flow);
    this.#datagrams.describe(buffer, flow, flows.generation[flow] ?? 0, key, 0, bytes);
    this.#datagrams.reply(buffer, fd);
    flows.count(flow, REPLY, bytes, 1, loop.nowMs);
    this.#parts.edges().fromBackend(flow as FlowId);
  }

  late(key: ListenerKey): void {
    this.#parts.edges().dropped(key, null, 'flow-ended');
  }

  repliedEmpty(flow: number): void {
    const { pool, flows } = this.#parts;
    const buffer = pool.take();
    if (buffer !== NONE) this.replied(flow, buffer, 0);
    else this.#parts.edges().dropped(flows.socketOf(flow).key, flow as FlowId, 'resource-limit');
  }

  failed(flow: number, answer: number): void {
    const code = errnoName(answer);
    if (meansUnreachable(code)) return this.#unreachable(flow);
    const { key } = this.#parts.flows.socketOf(flow);
    this.#parts.edges().dropped(key, flow as FlowId, dropReasonOf(code));
  }
}
