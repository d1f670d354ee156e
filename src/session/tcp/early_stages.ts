/**
 * From a place at the listener to the choice of a backend: what has to be known of a client's
 * first bytes is read, within one deadline and one size; what is looked at is in session/early.
 */

import { addressKey } from '../../core/address_key.js';
import { assert, unreachable } from '../../core/assert.js';
import type { Clock } from '../../core/clock.js';
import type { Cause } from '../../core/outcome.js';
import type { Random } from '../../core/random.js';
import { beginReading, type EarlyReading, lateCause, readOn } from '../early/reading.js';
import { plainHeader } from '../proxy_protocol/header.js';
import type { TcpEngine } from '../tcp_port.js';
import type { SessionBook } from './book.js';
import type { CancelOrder } from './deps.js';
import type { HowToClose } from './ending.js';
import { expiryOf } from './ends.js';
import { headerOf } from './prelude.js';
import type { TcpSession } from './session.js';
import { howToRefuse, type TurnedAway } from './turned_away.js';

/** A cancel that was not taken by then is over for its client. */
const CANCEL_MS = 5_000;

export interface EarlyDeps {
  readonly engine: TcpEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly book: SessionBook;
  readonly turnedAway: TurnedAway;
  readonly deadline: (session: TcpSession, atMs: number) => void;
  readonly noDeadline: (session: TcpSession) => void;
  readonly refuse: (session: TcpSession, cause: Cause, how: HowToClose) => void;
  /** Hands over a CancelRequest that is to be taken to the backends. */
  readonly cancel: (order: CancelOrder) => void;
  /** All is known: the session chooses. */
  readonly done: (session: TcpSession) => void;
}

export class EarlyStages {
  readonly #deps: EarlyDeps;

  constructor(deps: EarlyDeps) {
    this.#deps = deps;
  }

  /** It has its place at the listener. */
  begin(session: TcpSession): void {
    const { face, pair } = session;
    const { engine, clock, book, random } = this.#deps;
    session.phase = { at: 'choosing' };
    book.accepted(session);
    session.expiresMs = expiryOf(session, random);
    if (face.stages.length === 0) return this.#deps.done(session);
    const { trustedProxies, helloTimeoutMs, helloSizeBytes } = face.plan.settings;
    if (trustedProxies !== null && !face.trusts(engine.client(pair))) {
      return this.#deps.refuse(session, 'untrusted-proxy', 'reset');
    }
    session.phase = { at: 'early', reading: beginReading(face.stages) };
    this.#deps.deadline(session, clock.nowMs() + helloTimeoutMs);
    engine.readEarly(pair, helloSizeBytes);
  }

  /** `bytes`: all that the client has said so far. */
  bytes(session: TcpSession, bytes: Uint8Array): void {
    const { phase } = session;
    assert(phase.at === 'early', 'first bytes came for a session that reads none');
    const step = readOn(phase.reading, bytes, session.face.plan.settings.helloSizeBytes);
    const isNamed = session.facts.proxied === null && step.reading.facts.proxied !== null;
    session.facts = step.reading.facts;
    if (isNamed && this.#refusesNamed(session, step.reading)) return;
    switch (step.kind) {
      case 'refuse':
        return this.#deps.refuse(session, step.cause, 'reset');
      case 'need-more':
        session.phase = { at: 'early', reading: step.reading };
        return this.#answer(session, step.answers);
      case 'done':
        this.#answer(session, step.answers);
        return this.#finish(session, step.reading);
      default:
        return unreachable(step);
    }
  }

  /** The client's time is over. */
  expired(session: TcpSession, reading: EarlyReading): void {
    this.#deps.refuse(session, lateCause(reading), 'reset');
  }

  #cancel(session: TcpSession, request: Uint8Array): void {
    const { engine, clock } = this.#deps;
    const { pair, number, listener } = session;
    session.phase = { at: 'cancelling' };
    this.#deps.deadline(session, clock.nowMs() + CANCEL_MS);
    const client = addressKey(session.client(engine.client(pair)));
    // It goes to another thread.
    const header = plainHeader(headerOf(session, engine));
    this.#deps.cancel({ pair, number, listener: listener.id, client, header, request });
  }

  /**
   * True: the client that the header names is refused, or waits for its turn, and nothing else is
   * read. A header that names no client (LOCAL, UNSPEC, UNKNOWN) leaves the connection with its own
   * address.
   */
  #refusesNamed(session: TcpSession, { consumed }: EarlyReading): boolean {
    const { book, engine, refuse, turnedAway } = this.#deps;
    const { listener, face, pair } = session;
    const client = session.client(engine.client(pair));
    const barred = face.admission?.refusal(client, listener, book) ?? null;
    if (barred !== null) {
      refuse(session, barred, 'reset');
      return true;
    }
    const limited = turnedAway.refusalOfNamed(session, client);
    if (limited === null) return false;
    // It may have to wait for its end, and it is not read meanwhile.
    engine.earlyDone(pair, consumed);
    refuse(session, limited, howToRefuse(face));
    return true;
  }

  #answer({ pair }: TcpSession, answers: readonly Uint8Array[]): void {
    for (const bytes of answers) this.#deps.engine.answer(pair, bytes);
  }

  /** What the stages have left is the backend's. */
  #finish(session: TcpSession, { consumed }: EarlyReading): void {
    this.#deps.noDeadline(session);
    this.#deps.engine.earlyDone(session.pair, consumed);
    const { postgres } = session.facts;
    if (postgres?.kind === 'cancel') {
      this.#deps.turnedAway.forgive(session);
      return this.#cancel(session, postgres.request);
    }
    const limited = this.#deps.turnedAway.refusalOfHeard(session);
    if (limited !== null) {
      return this.#deps.refuse(session, limited, howToRefuse(session.face));
    }
    session.phase = { at: 'choosing' };
    this.#deps.done(session);
  }
}
