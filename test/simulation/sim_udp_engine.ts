/** The UDP engine without sockets, which also notes which flow must have a reservation where. */
import type { FlowId } from '../../src/core/brand.js';
import { type Endpoint, formatAddress, type IpEndpoint } from '../../src/core/endpoint.js';
import type { DialFailure } from '../../src/core/outcome.js';
import type { UdpEdges } from '../../src/session/udp_port.js';
import { FakeUdpEngine } from '../session/udp/fake_engine.js';

export class SimUdpEngine extends FakeUdpEngine {
  /** By flow: the backend that it is served by, as text. */
  readonly served = new Map<FlowId, string>();

  override attach(edges: UdpEdges): void {
    super.attach({
      unwrap: (key, peer, datagram) => edges.unwrap(key, peer, datagram),
      newFlow: (key, flow) => edges.newFlow(key, flow),
      fromClient: (flow) => {
        const decision = edges.fromClient(flow);
        if (decision !== 'forward') this.served.delete(flow);
        return decision;
      },
      fromBackend: (flow) => edges.fromBackend(flow),
      unreachable: (flow, which) => {
        this.served.delete(flow);
        return edges.unreachable(flow, which);
      },
      dropped: (key, flow, reason, counted) => edges.dropped(key, flow, reason, counted),
      broken: (flow, error) => edges.broken(flow, error),
    });
  }

  /** The backend that serves the flow of `peer`, as text; null: none does. */
  servedBy(peer: IpEndpoint): string | null {
    for (const [flow, target] of this.served) {
      if (formatAddress(this.client(flow)) === formatAddress(peer)) return target;
    }
    return null;
  }

  override openFlow(
    flow: FlowId,
    target: Endpoint,
    prelude: Uint8Array | null,
  ): 'open' | DialFailure {
    const outcome = super.openFlow(flow, target, prelude);
    if (outcome === 'open') this.served.set(flow, formatAddress(target));
    else this.served.delete(flow);
    return outcome;
  }

  override closeFlow(flow: FlowId): number {
    this.served.delete(flow);
    return super.closeFlow(flow);
  }
}
