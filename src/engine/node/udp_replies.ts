/** What backends answer goes back to clients, from the socket that each client sends to. */
import type { ReplySocket } from '../../kernel/reply_socket.js';
import type { UdpEdges } from '../../session/udp_port.js';
import { dropReasonOf } from '../failure.js';
import type { FirstDatagrams } from '../first_datagrams.js';
import type { FlowTable } from './flow_table.js';
import { MAX_QUEUED_BYTES, type NodeFlow } from './udp_flow.js';
import type { UndoneDatagrams } from './udp_undone.js';

/** What a send to port 0 comes to. */
const NO_PORT = new Error('nothing can be sent to port 0');

export class UdpReplies {
  readonly #table: FlowTable;
  readonly #firsts: FirstDatagrams;
  readonly #undone: UndoneDatagrams;
  readonly #edges: () => UdpEdges;

  constructor(
    table: FlowTable,
    firsts: FirstDatagrams,
    undone: UndoneDatagrams,
    edges: () => UdpEdges,
  ) {
    this.#table = table;
    this.#firsts = firsts;
    this.#undone = undone;
    this.#edges = edges;
  }

  /** What breaks in it ends the flow. */
  sendAlone(flow: NodeFlow, payload: Buffer): void {
    try {
      this.#send(flow, payload);
    } catch (error) {
      this.#edges().broken(flow.id, error);
    }
  }

  /** What breaks in it ends the flow. */
  failed(flow: NodeFlow, error: Error, bytes: number): void {
    try {
      this.#undone.undone(flow, { way: 'out', bytes }, error);
    } catch (broken) {
      this.#edges().broken(this.#table.has(flow) ? flow.id : null, broken);
    }
  }

  #send(flow: NodeFlow, payload: Buffer): void {
    const { id, down, client, host } = flow;
    const { socket, replies } = down;
    this.#firsts.forget(id);
    if (replies !== null) return this.#sendBy(replies, flow, payload);
    if (socket.getSendQueueSize() > MAX_QUEUED_BYTES) {
      return this.#edges().dropped(down.key, id, 'send-queue-full');
    }
    flow.lastReplyBytes = payload.length;
    // To port 0 nothing can be sent, and node:dgram takes it for a mistake of its caller.
    if (client.port === 0) queueMicrotask(() => flow.replied(NO_PORT));
    else socket.send(payload, client.port, host, flow.replied);
    this.#sent(flow, payload);
  }

  #sendBy(replies: ReplySocket, flow: NodeFlow, payload: Buffer): void {
    const { id, down, client } = flow;
    const sent = replies.send(payload, client);
    if (!sent.ok) return this.#edges().dropped(down.key, id, dropReasonOf(sent.error.errno));
    this.#sent(flow, payload);
  }

  #sent({ id }: NodeFlow, payload: Buffer): void {
    const { bytesOut, datagramsOut } = this.#table;
    this.#table.count(id, bytesOut, datagramsOut, payload.length);
    this.#edges().fromBackend(id);
  }
}
