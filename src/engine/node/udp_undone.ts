/**
 * Datagrams that were counted as handed on and were not sent. Each counts when it is handed over,
 * and not when the kernel has taken it: the session that ends a flow by its replies must know all
 * datagrams that are still to be answered.
 */
import type { HandedOn, UdpEdges } from '../../session/udp_port.js';
import { dropReason } from './failure.js';
import type { FlowTable } from './flow_table.js';
import type { NodeFlow } from './udp_flow.js';

export class UndoneDatagrams {
  readonly #table: FlowTable;
  readonly #edges: () => UdpEdges;

  constructor(table: FlowTable, edges: () => UdpEdges) {
    this.#table = table;
    this.#edges = edges;
  }

  /** Takes it back and reports it: from its flow or, where that is over, by the session. */
  undone(flow: NodeFlow, counted: HandedOn, error: Error): void {
    const { key } = flow.down;
    const reason = dropReason(error);
    if (!this.#table.has(flow)) return this.#edges().dropped(key, null, reason, counted);
    const { bytesIn, bytesOut, datagramsIn, datagramsOut } = this.#table;
    const [bytes, datagrams] =
      counted.way === 'in' ? [bytesIn, datagramsIn] : [bytesOut, datagramsOut];
    this.#table.count(flow.id, bytes, datagrams, -counted.bytes, -1);
    this.#edges().dropped(key, flow.id, reason);
  }
}
