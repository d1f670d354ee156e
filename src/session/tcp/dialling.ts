/** The way to a backend: the dial, the question for TLS, and the rest between two dials. */
import { assert } from '../../core/assert.js';
import type { Clock } from '../../core/clock.js';
import type { DialFailure } from '../../core/outcome.js';
import type { Lease } from '../../pool/selection.js';
import { isOwn } from '../own_failures.js';
import type { TcpEngine } from '../tcp_port.js';
import type { SessionBook } from './book.js';
import { type NoTls, whyNoTls } from './ends.js';
import { nextDialMs } from './resting.js';
import type { TcpSession } from './session.js';
import { beginDial, dialsOn } from './source_dials.js';

export type DialCause = 'dial-failed' | TcpSession['lacks'] | NoTls;

export interface DiallingDeps {
  readonly engine: TcpEngine;
  readonly clock: Clock;
  readonly book: SessionBook;
  readonly deadline: (session: TcpSession, atMs: number) => void;
  readonly noDeadline: (session: TcpSession) => void;
  /** It has its backend. */
  readonly done: (session: TcpSession, lease: Lease, nowMs: number) => void;
  /** It may try another one. */
  readonly choose: (session: TcpSession) => void;
  readonly fail: (session: TcpSession, cause: DialCause) => void;
}

export class Dialling {
  readonly #deps: DiallingDeps;

  constructor(deps: DiallingDeps) {
    this.#deps = deps;
  }

  begin(session: TcpSession, lease: Lease): void {
    const { engine, clock, book, deadline } = this.#deps;
    const now = clock.nowMs();
    session.dials(lease, now);
    book.dialling(session, lease);
    deadline(session, now + session.waiting.pool.settings.connectTimeoutMs);
    beginDial(session, lease, engine);
  }

  dialled(session: TcpSession): void {
    const { phase } = session;
    assert(phase.at === 'dialling', 'a dial succeeded that was not asked for');
    const now = this.#deps.clock.nowMs();
    session.connectMs = now - phase.sinceMs;
    this.#deps.book.observe(session, 'connect', session.connectMs);
    phase.lease.connected(session.connectMs);
    if (session.facts.postgres?.kind !== 'encryption') {
      return this.#deps.done(session, phase.lease, now);
    }
    // The time of the dial is the time of this, too.
    session.phase = { at: 'asking', lease: phase.lease };
    this.#deps.engine.ask(session.pair);
  }

  asked(session: TcpSession, byte: number | null): void {
    const { phase } = session;
    assert(phase.at === 'asking', 'a backend answered that was not asked');
    const cause = whyNoTls(byte);
    if (cause !== null) return this.#deps.fail(session, cause);
    this.#deps.done(session, phase.lease, this.#deps.clock.nowMs());
  }

  failed(session: TcpSession, failure: DialFailure): void {
    const { phase } = session;
    assert(phase.at === 'dialling', 'a dial failed that was not asked for');
    const { engine } = this.#deps;
    if (isOwn(failure) && dialsOn(session, phase.lease, failure, engine)) return;
    this.#deps.book.dialFailed(session, failure);
    this.#deps.noDeadline(session);
    if (isOwn(failure)) {
      session.phase = { at: 'choosing' };
      phase.lease.settle('neutral');
      return this.#rest(session);
    }
    session.addTried(phase.lease.backend);
    session.phase = { at: 'choosing' };
    phase.lease.settle('failed');
    if ((session.tried?.length ?? 0) > session.waiting.pool.settings.retries) {
      return this.#deps.fail(session, 'dial-failed');
    }
    this.#deps.choose(session);
  }

  /** `connect_timeout` is over. */
  expired(session: TcpSession): void {
    this.#deps.engine.cancelDial(session.pair);
    this.failed(session, 'timeout');
  }

  #rest(session: TcpSession): void {
    const atMs = nextDialMs(session, this.#deps.clock.nowMs());
    if (atMs === null) return this.#deps.fail(session, session.lacks);
    session.phase = { at: 'resting' };
    this.#deps.deadline(session, atMs);
  }
}
