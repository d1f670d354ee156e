/**
 * When a relay is looked at again: at its notice, at its age, or when it may have been idle for too
 * long, whichever comes first. What moves bytes sets no deadline.
 */
import type { DeadlineWheel } from '../deadline_wheel.js';
import type { TcpEngine } from '../tcp_port.js';
import { overdue } from './ends.js';
import type { TcpSession } from './session.js';

export class RelayDeadlines {
  readonly #engine: Pick<TcpEngine, 'lastActivityMs'>;
  readonly #wheel: DeadlineWheel;

  constructor(engine: Pick<TcpEngine, 'lastActivityMs'>, wheel: DeadlineWheel) {
    this.#engine = engine;
    this.#wheel = wheel;
  }

  arm(session: TcpSession, nowMs: number): void {
    const idleMs = this.#activeMs(session, nowMs) + session.listener.plan.settings.idleTimeoutMs;
    const noticeMs = session.notice?.atMs ?? Number.POSITIVE_INFINITY;
    this.#wheel.set(session.pair, Math.min(idleMs, session.expiresMs, noticeMs));
  }

  /** Its limits have changed, if it relays. */
  rearm(session: TcpSession, nowMs: number): void {
    if (session.phase.at === 'relaying') this.arm(session, nowMs);
  }

  /** Why it has lasted long enough; null: it has not, and is looked at again. */
  overdue(session: TcpSession, nowMs: number): 'max-age' | 'idle-timeout' | null {
    const cause = overdue(session, this.#activeMs(session, nowMs), nowMs);
    if (cause === null) this.arm(session, nowMs);
    return cause;
  }

  #activeMs({ pair }: TcpSession, nowMs: number): number {
    return this.#engine.lastActivityMs[pair] ?? nowMs;
  }
}
