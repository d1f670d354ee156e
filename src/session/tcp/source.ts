/** The TCP sessions of a worker, for questions about them. */
import type { Peer } from '../../core/endpoint.js';
import type { SessionState } from '../../core/questions.js';
import type { SessionIds } from '../../core/session_ids.js';
import type { SessionSource } from '../listing.js';
import type { TcpEngine } from '../tcp_port.js';
import type { TcpSession } from './session.js';

/** What the phase of a session that has begun is called. */
const STATES = {
  entering: 'early',
  early: 'early',
  cancelling: 'early',
  choosing: 'choosing',
  resting: 'resting',
  unproven: 'unproven',
  queued: 'queued',
  dialling: 'dialling',
  asking: 'dialling',
  relaying: 'relaying',
  closing: 'closing',
} as const satisfies Record<TcpSession['phase']['at'], SessionState>;

export class TcpSource implements SessionSource<TcpSession> {
  readonly #sessions: readonly (TcpSession | null)[];
  readonly #engine: TcpEngine;
  readonly #ids: SessionIds;

  /** `sessions`: by pair. */
  constructor(sessions: readonly (TcpSession | null)[], engine: TcpEngine, ids: SessionIds) {
    this.#sessions = sessions;
    this.#engine = engine;
    this.#ids = ids;
  }

  get length(): number {
    return this.#sessions.length;
  }
  at(number: number): TcpSession | null {
    const session = this.#sessions[number] ?? null;
    return session?.phase.at === 'entering' ? null : session;
  }
  id({ number }: TcpSession): string {
    return this.#ids.text(number);
  }
  listener({ listener }: TcpSession): string {
    return listener.plan.name;
  }
  /** '': none is chosen yet. */
  pool({ way }: TcpSession): string {
    return way?.pool.name ?? '';
  }
  backend({ backend }: TcpSession): string | null {
    return backend?.name ?? null;
  }
  client(session: TcpSession): Peer {
    return session.client(this.#engine.client(session.pair));
  }
  state({ phase, notice }: TcpSession): SessionState {
    const state = STATES[phase.at];
    return state === 'relaying' && notice !== null ? 'draining' : state;
  }
  sinceMs({ acceptedMs }: TcpSession): number {
    return acceptedMs;
  }
  activeMs({ pair, acceptedMs }: TcpSession): number {
    return this.#engine.lastActivityMs[pair] ?? acceptedMs;
  }
  bytesIn({ pair }: TcpSession): number {
    return this.#engine.bytesIn[pair] ?? 0;
  }
  bytesOut({ pair }: TcpSession): number {
    return this.#engine.bytesOut[pair] ?? 0;
  }
}
