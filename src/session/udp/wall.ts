/**
 * The wall between an engine and the flows: what breaks in an edge of one flow ends that flow, and
 * what breaks before there is one drops that datagram.
 */
import type { FlowId } from '../../core/brand.js';
import type { PeerEndpoint } from '../../core/endpoint.js';
import type { DatagramDrop } from '../../core/outcome.js';
import type { ListenerKey } from '../tcp_port.js';
import type { DatagramDecision, HandedOn, UdpEdges, Unwrapped } from '../udp_port.js';

export class UdpWall implements UdpEdges {
  readonly #edges: UdpEdges;

  constructor(edges: UdpEdges) {
    this.#edges = edges;
  }

  unwrap(key: ListenerKey, peer: PeerEndpoint, datagram: Uint8Array): Unwrapped {
    try {
      return this.#edges.unwrap(key, peer, datagram);
    } catch (error) {
      this.broken(null, error);
      this.dropped(key, null, 'internal-error');
      return { kind: 'drop', reason: 'internal-error' };
    }
  }

  /** It has a wall of its own: what is half begun must be undone. */
  newFlow(key: ListenerKey, flow: FlowId): 'kept' | DatagramDrop {
    return this.#edges.newFlow(key, flow);
  }

  fromClient(flow: FlowId): DatagramDecision {
    try {
      return this.#edges.fromClient(flow);
    } catch (error) {
      this.broken(flow, error);
      return 'drop';
    }
  }

  fromBackend(flow: FlowId): void {
    try {
      this.#edges.fromBackend(flow);
    } catch (error) {
      this.broken(flow, error);
    }
  }

  unreachable(flow: FlowId, which: 'first' | 'later'): DatagramDecision {
    try {
      return this.#edges.unreachable(flow, which);
    } catch (error) {
      this.broken(flow, error);
      return 'drop';
    }
  }

  dropped(key: ListenerKey, flow: FlowId | null, reason: DatagramDrop, counted?: HandedOn): void {
    this.#edges.dropped(key, flow, reason, counted);
  }

  broken(flow: FlowId | null, error: unknown): void {
    this.#edges.broken(flow, error);
  }
}
