/** The UDP flows of a worker, for questions about them. */
import type { Peer } from '../../core/endpoint.js';
import type { SessionState } from '../../core/questions.js';
import type { SessionIds } from '../../core/session_ids.js';
import type { SessionSource } from '../listing.js';
import type { UdpEngine } from '../udp_port.js';
import type { UdpFlow } from './flow.js';

const STATES = {
  open: 'relaying',
  unproven: 'unproven',
  adrift: 'adrift',
} as const satisfies Record<UdpFlow['phase']['at'], SessionState>;

export class UdpSource implements SessionSource<UdpFlow> {
  readonly #flows: readonly (UdpFlow | undefined)[];
  readonly #engine: UdpEngine;
  readonly #ids: SessionIds;

  /** `flows`: by number. */
  constructor(flows: readonly (UdpFlow | undefined)[], engine: UdpEngine, ids: SessionIds) {
    this.#flows = flows;
    this.#engine = engine;
    this.#ids = ids;
  }

  get length(): number {
    return this.#flows.length;
  }
  at(number: number): UdpFlow | null {
    return this.#flows[number] ?? null;
  }
  id({ number }: UdpFlow): string {
    return this.#ids.text(number);
  }
  listener({ listener }: UdpFlow): string {
    return listener.plan.name;
  }
  pool({ pool, leadsTo }: UdpFlow): string {
    return (pool ?? leadsTo).name;
  }
  backend({ phase }: UdpFlow): string | null {
    return phase.at === 'open' ? phase.lease.backend.name : null;
  }
  client(flow: UdpFlow): Peer {
    return flow.client(this.#engine.client(flow.id));
  }
  state({ phase, notice }: UdpFlow): SessionState {
    return phase.at === 'open' && notice !== null ? 'draining' : STATES[phase.at];
  }
  sinceMs({ startedMs }: UdpFlow): number {
    return startedMs;
  }
  activeMs({ id, startedMs }: UdpFlow): number {
    return this.#engine.lastActivityMs[id] ?? startedMs;
  }
  bytesIn({ id }: UdpFlow): number {
    return this.#engine.bytesIn[id] ?? 0;
  }
  bytesOut({ id }: UdpFlow): number {
    return this.#engine.bytesOut[id] ?? 0;
  }
}
