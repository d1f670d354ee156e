/**
 * The relay of a session: its beginning, what is noted of its first bytes, and when it is looked at
 * again: at its notice, at its age, or when it may have been idle for too long, whichever comes
 * first. What moves bytes sets no deadline.
 */
import { assert } from '../../core/assert.js';
import type { WorkerId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { KeyTable } from '../../pool/key_table.js';
import type { Lease } from '../../pool/selection.js';
import type { TcpEngine } from '../tcp_port.js';
import type { SessionBook } from './book.js';
import { overdue } from './ends.js';
import type { TcpListener } from './listener.js';
import { OverheardKeys } from './overheard_keys.js';
import type { TcpSession } from './session.js';

export interface RelayingDeps {
  readonly engine: TcpEngine;
  readonly clock: Clock;
  readonly keys: KeyTable;
  readonly worker: WorkerId;
  readonly book: SessionBook;
  readonly deadline: (session: TcpSession, atMs: number) => void;
  readonly noticeDue: (session: TcpSession) => void;
  readonly overdue: (session: TcpSession, cause: 'max-age' | 'idle-timeout') => void;
}

export class Relaying {
  readonly #deps: RelayingDeps;
  readonly #keys: OverheardKeys;

  constructor(deps: RelayingDeps) {
    this.#deps = deps;
    this.#keys = new OverheardKeys(deps);
  }

  begin(session: TcpSession, lease: Lease, nowMs: number): void {
    session.relayedMs = nowMs;
    session.phase = { at: 'relaying', lease, sinceMs: nowMs };
    this.#keys.begin(session);
    this.#deps.engine.relay(session.pair);
    this.#arm(session, nowMs);
  }

  firstByte(session: TcpSession): void {
    const { phase } = session;
    if (phase.at !== 'relaying') return;
    session.firstByteMs = this.#deps.clock.nowMs() - phase.sinceMs;
    this.#deps.book.observe(session, 'firstByte', session.firstByteMs);
    phase.lease.answered(session.firstByteMs);
  }

  heard(session: TcpSession, bytes: Uint8Array): void {
    const { phase } = session;
    assert(phase.at === 'relaying', 'a backend is overheard in the relay');
    this.#keys.heard(session, phase.lease.id, bytes);
  }

  /** It has another deadline, if it relays. */
  rearm(session: TcpSession, nowMs: number): void {
    if (session.phase.at === 'relaying') this.#arm(session, nowMs);
  }

  /** The limits of `listener` have changed. */
  rearmAll(sessions: readonly TcpSession[], listener: TcpListener): void {
    const now = this.#deps.clock.nowMs();
    for (const session of sessions) if (session.listener === listener) this.rearm(session, now);
  }

  /** Ends one that has lasted long enough, or looks at it again later. */
  expired(session: TcpSession, nowMs: number): void {
    if (session.notice !== null && session.notice.atMs <= nowMs) {
      return this.#deps.noticeDue(session);
    }
    const cause = overdue(session, this.#activeMs(session, nowMs), nowMs);
    if (cause === null) this.#arm(session, nowMs);
    else this.#deps.overdue(session, cause);
  }

  over({ pair }: TcpSession): void {
    this.#keys.over(pair);
  }

  #arm(session: TcpSession, nowMs: number): void {
    const idleMs = this.#activeMs(session, nowMs) + session.listener.plan.settings.idleTimeoutMs;
    const noticeMs = session.notice?.atMs ?? Number.POSITIVE_INFINITY;
    this.#deps.deadline(session, Math.min(idleMs, session.expiresMs, noticeMs));
  }

  #activeMs({ pair }: TcpSession, nowMs: number): number {
    return this.#deps.engine.lastActivityMs[pair] ?? nowMs;
  }
}
