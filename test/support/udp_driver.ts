/**
 * A session machine for engine tests: answers each edge as a test says, records them in order, and
 * notes whatever breaks the promises of src/session/udp_port.ts.
 */
import type { FlowId } from '../../src/core/brand.js';
import type { Endpoint, IpEndpoint } from '../../src/core/endpoint.js';
import type { DatagramDrop, DialFailure } from '../../src/core/outcome.js';
import type { ListenerKey } from '../../src/session/tcp_port.js';
import type {
  DatagramDecision,
  HandedOn,
  UdpEdges,
  UdpEngine,
  Unwrapped,
} from '../../src/session/udp_port.js';
import { Feed } from './feed.js';

export interface UdpEdge {
  readonly kind: keyof UdpEdges;
  readonly key: ListenerKey | null;
  readonly flow: FlowId | null;
  readonly reason: DatagramDrop | null;
  /** What a flow that is over had counted of a datagram that was dropped. */
  readonly counted?: HandedOn | undefined;
}

/**
 * What to do at an edge, inside of it. Without an answer: 'kept' and not opened, 'forward', 'drop'
 * what was unreachable, nothing.
 */
export interface UdpAnswers {
  unwrap?(peer: IpEndpoint, datagram: Uint8Array): Unwrapped;
  newFlow?(flow: FlowId, key: ListenerKey): 'kept' | DatagramDrop;
  fromClient?(flow: FlowId): DatagramDecision;
  fromBackend?(flow: FlowId): void;
  unreachable?(flow: FlowId, which: 'first' | 'later'): DatagramDecision;
}

export class UdpDriver implements UdpEdges {
  readonly edges = new Feed<UdpEdge>();
  readonly violations: string[] = [];
  answers: UdpAnswers = {};
  readonly #open = new Set<FlowId>();
  #engine: UdpEngine | null = null;

  get engine(): UdpEngine {
    if (this.#engine === null) throw new Error('the driver has no engine yet');
    return this.#engine;
  }

  drive(engine: UdpEngine): void {
    this.#engine = engine;
  }

  get openFlows(): number {
    return this.#open.size;
  }

  count(kind: UdpEdge['kind']): number {
    return this.edges.past.filter((edge) => edge.kind === kind).length;
  }

  drops(reason: DatagramDrop): number {
    return this.edges.past.filter((edge) => edge.reason === reason).length;
  }

  /** The first edge of `kind`, past or future. */
  edge(kind: UdpEdge['kind']): Promise<UdpEdge> {
    return this.edges.first(kind, (edge) => edge.kind === kind);
  }

  /** The flow of the first `newFlow`. */
  async firstFlow(): Promise<FlowId> {
    const { flow } = await this.edge('newFlow');
    if (flow === null) throw new Error('newFlow reports a flow');
    return flow;
  }

  /** Every new flow gets to `target`. */
  forwardTo(target: Endpoint, prelude: Uint8Array | null = null): void {
    this.answers = {
      newFlow: (flow) => {
        this.open(flow, target, prelude);
        return 'kept';
      },
    };
  }

  open(flow: FlowId, target: Endpoint, prelude: Uint8Array | null = null): 'open' | DialFailure {
    return this.engine.openFlow(flow, target, prelude);
  }

  close(flow: FlowId): number {
    this.#open.delete(flow);
    return this.engine.closeFlow(flow);
  }

  closeAll(): void {
    for (const flow of [...this.#open]) this.close(flow);
  }

  unwrap(key: ListenerKey, peer: IpEndpoint, datagram: Uint8Array): Unwrapped {
    this.#note('unwrap', key, null, null);
    if (this.answers.unwrap !== undefined) return this.answers.unwrap(peer, datagram);
    this.violations.push('unwrap came for a plain listener');
    return { kind: 'payload', offset: 0, tag: '' };
  }

  newFlow(key: ListenerKey, flow: FlowId): 'kept' | DatagramDrop {
    if (this.#open.has(flow)) this.violations.push(`newFlow: ${flow} is open`);
    if (flow < 0 || flow >= this.engine.capacity) this.violations.push(`newFlow: number ${flow}`);
    this.#open.add(flow);
    const answer = this.answers.newFlow?.(flow, key) ?? 'kept';
    if (answer !== 'kept') this.#open.delete(flow);
    this.#note('newFlow', key, flow, null);
    return answer;
  }

  fromClient(flow: FlowId): DatagramDecision {
    this.#mustBeOpen('fromClient', flow);
    const decision = this.answers.fromClient?.(flow) ?? 'forward';
    this.#note('fromClient', null, flow, null);
    return decision;
  }

  /** Every broken invariant fails its test. */
  broken(_: FlowId | null, error: unknown): void {
    throw error;
  }

  fromBackend(flow: FlowId): void {
    this.#mustBeOpen('fromBackend', flow);
    this.answers.fromBackend?.(flow);
    this.#note('fromBackend', null, flow, null);
  }

  unreachable(flow: FlowId, which: 'first' | 'later'): DatagramDecision {
    this.#mustBeOpen('unreachable', flow);
    const decision = this.answers.unreachable?.(flow, which) ?? 'drop';
    this.#note('unreachable', null, flow, null);
    return decision;
  }

  dropped(key: ListenerKey, flow: FlowId | null, reason: DatagramDrop, counted?: HandedOn): void {
    if (flow !== null) this.#mustBeOpen('dropped', flow);
    this.edges.push({ kind: 'dropped', key, flow, reason, counted });
  }

  #mustBeOpen(kind: keyof UdpEdges, flow: FlowId): void {
    if (!this.#open.has(flow)) this.violations.push(`${kind}: ${flow} is closed`);
  }

  #note(
    kind: keyof UdpEdges,
    key: ListenerKey | null,
    flow: FlowId | null,
    reason: DatagramDrop | null,
  ): void {
    this.edges.push({ kind, key, flow, reason });
  }
}
