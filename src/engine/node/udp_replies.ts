/** What backends answer goes back to clients, from the socket that each client sends to. */
import type { ReplySocket } from '../../kernel/reply_socket.js';
import type { UdpEdges } from '../../session/udp_port.js';
import { dropReasonOf } from '../failure.js';
import type { FirstDatagrams } from '../first_datagrams.js';
import { dropReason } from './failure.js';
import type { FlowTable } from './flow_table.js';
import { MAX_QUEUED_BYTES, type NodeFlow } from './udp_flow.js';

/** What a send to port 0 comes to. */
const NO_PORT = new Error('nothing can be sent to port 0');

export class UdpReplies {
  readonly #table: FlowTable;
  readonly #firsts: FirstDatagrams;
  readonly #edges: () => UdpEdges;

  constructor(table: FlowTable, firsts: FirstDatagrams, edges: () => UdpEdges) {
    this.#table = table;
    this.#firsts = firsts;
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

  /**
   * A datagram counts when it is handed over, and not when the kernel has taken it: the session
   * that ends a flow by its replies must know all datagrams that are still to be answered. What the
   * kernel refused is taken back, unless the flow and its account are closed by now: then it is a
   * drop of its listener.
   */
  failed(flow: NodeFlow, error: Error, bytes: number): void {
    if (!this.#table.has(flow)) return this.lost(flow, error);
    const { bytesOut, datagramsOut } = this.#table;
    try {
      this.#table.count(flow.id, bytesOut, datagramsOut, -bytes, -1);
      this.#edges().dropped(flow.down.key, flow.id, dropReason(error));
    } catch (broken) {
      this.#edges().broken(flow.id, broken);
    }
  }

  /** Of a flow that is over, or has gone to another backend since. */
  lost(flow: NodeFlow, error: Error): void {
    const id = this.#table.has(flow) ? flow.id : null;
    this.#edges().dropped(flow.down.key, id, dropReason(error));
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
