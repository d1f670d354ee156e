/**
 * The life of every TCP session of one worker, engine-independent: what happens next after each
 * edge. Choosing and waiting are in choosing.ts, counting in book.ts; this file knows the phases.
 */
import { assert, assertShared, escalate, presentShared, unreachable } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import { doEach } from '../../core/do_each.js';
import type { Cause, DialFailure, EndedBy, Stage } from '../../core/outcome.js';
import type { Lease } from '../../pool/selection.js';
import { DeadlineWheel } from '../deadline_wheel.js';
import { reportUnlessShared } from '../defect.js';
import { DUE_A_TURN } from '../due.js';
import { type HowToEnd, Notices } from '../notices.js';
import type { ListenerKey, PairEnd, TcpEdges } from '../tcp_port.js';
import { SessionBook } from './book.js';
import { Choosing } from './choosing.js';
import type { CancelOutcome, TcpSessionsDeps } from './deps.js';
import { EarlyStages } from './early_stages.js';
import { concerned, type EndOrder, type HowToClose, isAbrupt } from './ending.js';
import { endOf, expiryOf, leaseOf, type Over, settlementOf, stageOf, whyNoTls } from './ends.js';
import type { TcpListener } from './listener.js';
import { TcpListeners } from './listeners.js';
import { OverheardKeys } from './overheard_keys.js';
import { preludeFor } from './prelude.js';
import { RelayDeadlines } from './relay_deadlines.js';
import { nextDialMs } from './resting.js';
import { TcpSession } from './session.js';
import { TcpSource } from './source.js';
import { Sweep } from './sweep.js';
import { tellRefusal } from './telling.js';
import { TurnedAway } from './turned_away.js';

export class TcpSessions implements TcpEdges {
  readonly #deps: TcpSessionsDeps;
  readonly #book: SessionBook;
  readonly #turnedAway: TurnedAway;
  readonly #early: EarlyStages;
  readonly #keys: OverheardKeys;
  /** Pools, and who waits for a backend of one. */
  readonly choosing: Choosing;
  readonly #wheel: DeadlineWheel;
  readonly #relays: RelayDeadlines;
  readonly #sessions: (TcpSession | null)[];
  /** What a plan says of them goes there. */
  readonly listeners: TcpListeners;
  #count = 0;
  readonly #sweep: Sweep;
  /** The wheel's callback. These are made once: a new function costs its first call much. */
  readonly #expire = (id: number): void => {
    const session = this.#sessions[id] ?? null;
    if (session !== null) this.#alone(session, this.#dueNow);
  };
  readonly #dueNow = (session: TcpSession): void => this.#expired(session, this.#tickMs);
  readonly #countBytes = (session: TcpSession): void => this.#book.countBytes(session);
  readonly #beginOne = (session: TcpSession): void => this.#begin(session);
  readonly #notices: Notices<TcpSession>;
  /** For questions about them. */
  readonly source: TcpSource;
  readonly #atEnd: readonly ((over: Over) => void)[] = [
    ({ session }) => this.choosing.forget(session),
    ({ session }) => this.#keys.over(session.pair),
    ({ session, end, nowMs }) => this.#book.ended(session, end, nowMs),
    ({ session, end, nowMs }) => leaseOf(session)?.settle(settlementOf(session, end, nowMs)),
    ({ session }) => this.listeners.leave(session.listener),
    () => this.choosing.serveFreed(),
  ];
  #tickMs = 0;

  constructor(deps: TcpSessionsDeps) {
    this.#deps = deps;
    this.#book = new SessionBook(deps);
    this.#keys = new OverheardKeys(deps);
    this.#wheel = new DeadlineWheel(deps.engine.capacity, deps.clock.nowMs());
    this.#relays = new RelayDeadlines(deps.engine, this.#wheel);
    this.#sweep = new Sweep(deps.engine.lastActivityMs);
    this.#sessions = [];
    this.source = new TcpSource(this.#sessions, deps.engine, deps.ids);
    this.#notices = new Notices({
      ...deps,
      isOver: (session) => this.#sessions[session.pair] !== session,
      due: (session) => this.#alone(session, () => this.#noticeDue(session)),
      arm: (session, nowMs) => this.#relays.rearm(session, nowMs),
    });
    this.listeners = new TcpListeners(deps, {
      begin: (session) => this.#alone(session, this.#beginOne),
      turnAway: (session) => this.#alone(session, () => deps.engine.close(session.pair, 'reset')),
      rearmSessionsOf: (listener) => this.#rearm(listener),
    });
    this.#turnedAway = new TurnedAway(deps, this.#book);
    const deadline = (session: TcpSession, atMs: number): void =>
      this.#wheel.set(session.pair, atMs);
    this.#early = new EarlyStages({
      ...deps,
      book: this.#book,
      turnedAway: this.#turnedAway,
      deadline,
      noDeadline: (session) => this.#wheel.clear(session.pair),
      refuse: (session, cause, how) => this.#end(session, 'sluice', 'accept', cause, how),
      done: (session) => this.choosing.choose(session),
    });
    this.choosing = new Choosing({
      ...deps,
      dial: (session, lease) => this.#dial(session, lease),
      refuse: (session, stage, cause) => this.#end(session, 'sluice', stage, cause, 'reset'),
      alone: (session, work) => this.#alone(session, work),
      deadline,
      book: this.#book,
    });
  }

  /** Sessions that are not over. */
  get count(): number {
    return this.#count;
  }

  set access(level: SessionBook['lines']['level']) {
    this.#book.lines.level = level;
  }

  /** Those that have been idle longest go first. */
  endSessions(ending: EndOrder): void {
    if (ending.backend === null) this.#turnedAway.resetAll();
    const { engine, clock } = this.#deps;
    const chosen = concerned(this.#open(), ending, engine.lastActivityMs, clock.nowMs());
    this.end(chosen, ending);
  }

  /** In their order; what is over by then stays over. */
  end(chosen: readonly TcpSession[], how: HowToEnd): void {
    this.#notices.give(chosen, how);
  }

  /** A ring of the doorbell: states, places or turns may have changed. */
  rung(): void {
    this.listeners.admitAll();
    this.choosing.retryAll();
  }

  /** Expires deadlines; answers when the next one comes. */
  tick(nowMs: number): number {
    this.#tickMs = nowMs;
    if (nowMs >= this.listeners.nextMs) this.listeners.tick(nowMs);
    this.#wheel.advance(nowMs, this.#expire, DUE_A_TURN);
    this.#notices.runAgain();
    this.choosing.serveFreed();
    if (this.#sweep.isTime(nowMs)) {
      this.#sweep.run(nowMs, this.#sessions, (session) => this.#alone(session, this.#countBytes));
      // Wake-ups that were lost are made good.
      this.rung();
    }
    const soonestMs = Math.min(this.#turnedAway.tick(nowMs), this.listeners.nextMs);
    if (this.#count === 0) return soonestMs;
    return Math.min(soonestMs, this.#wheel.nextMs(), this.#sweep.nextMs, this.#notices.dueMs);
  }

  /** A CancelRequest has been handed on, or is one too many. */
  cancelled(pair: PairId, number: number, outcome: CancelOutcome): void {
    const session = this.#sessions[pair] ?? null;
    if (session?.number !== number || session.phase.at !== 'cancelling') return;
    this.#alone(session, () => {
      if (outcome === 'handed on') {
        this.#end(session, 'client', 'accept', 'cancel-handed-on', 'flush');
      } else this.#end(session, 'sluice', 'accept', 'cancel-limit', 'reset');
    });
  }

  accepted(key: ListenerKey, pair: PairId): void {
    const listener = this.listeners.byKey(key);
    if (this.#turnedAway.refuses(listener, key, pair)) return;
    const { ids, clock } = this.#deps;
    const session = new TcpSession(pair, ids.next(), listener, key, clock.nowMs());
    assertShared(
      (this.#sessions[pair] ?? null) === null,
      'an engine used a pair again before it was closed',
    );
    this.#sessions[pair] = session;
    this.#count++;
    this.listeners.receive(session);
  }

  earlyBytes(pair: PairId, bytes: Uint8Array): void {
    this.#early.bytes(this.#session(pair), bytes);
  }

  dialled(pair: PairId): void {
    const session = this.#session(pair);
    const { phase } = session;
    assert(phase.at === 'dialling', 'a dial succeeded that nobody asked for');
    const now = this.#deps.clock.nowMs();
    session.connectMs = now - phase.sinceMs;
    this.#book.observe(session, 'connect', session.connectMs);
    phase.lease.connected(session.connectMs);
    if (session.facts.postgres?.kind === 'encryption') return this.#ask(session, phase.lease);
    this.#relay(session, phase.lease, now);
  }

  asked(pair: PairId, byte: number | null): void {
    const session = this.#session(pair);
    const { phase } = session;
    assert(phase.at === 'asking', 'a backend answered that nobody has asked');
    const cause = whyNoTls(byte);
    if (cause === null) return this.#relay(session, phase.lease, this.#deps.clock.nowMs());
    this.#end(session, 'backend', 'dial', cause, 'reset');
  }

  dialFailed(pair: PairId, failure: DialFailure): void {
    const session = this.#session(pair);
    const { phase } = session;
    assert(phase.at === 'dialling', 'a dial failed that nobody asked for');
    this.#book.dialFailed(session, failure);
    this.#wheel.clear(pair);
    if (failure === 'no-descriptor' || failure === 'no-free-port') {
      // Our own limit: says nothing about the backend, and no other backend would help.
      session.phase = { at: 'choosing' };
      phase.lease.settle('neutral');
      return this.#rest(session);
    }
    session.addTried(phase.lease.backend);
    session.phase = { at: 'choosing' };
    phase.lease.settle('failed');
    if ((session.tried?.length ?? 0) > session.waiting.pool.settings.retries) {
      return this.#end(session, 'backend', 'dial', 'dial-failed', 'reset');
    }
    this.choosing.choose(session);
  }

  firstByte(pair: PairId): void {
    const session = this.#session(pair);
    const { phase } = session;
    if (phase.at !== 'relaying') return;
    session.firstByteMs = this.#deps.clock.nowMs() - phase.sinceMs;
    this.#book.observe(session, 'firstByte', session.firstByteMs);
    phase.lease.answered(session.firstByteMs);
  }

  heard(pair: PairId, bytes: Uint8Array): void {
    const session = this.#session(pair);
    const { phase } = session;
    assert(phase.at === 'relaying', 'a backend is overheard in the relay');
    this.#keys.heard(session, phase.lease.backend.id, bytes);
  }

  parting(pair: PairId): void {
    this.#book.parting(this.#session(pair), this.#deps.clock.nowMs());
  }

  closed(pair: PairId, pairEnd: PairEnd): void {
    if (this.#turnedAway.over(pair)) return;
    const session = this.#session(pair);
    const { phase } = session;
    const end = phase.at === 'closing' ? phase.end : endOf(session, pairEnd);
    this.#wheel.clear(pair);
    this.#sessions[pair] = null;
    this.#count--;
    if (phase.at === 'entering') return session.listener.forget(session);
    // All is given back whatever breaks, each thing once.
    doEach({ session, end, nowMs: this.#deps.clock.nowMs() }, this.#atEnd);
  }

  broken(pair: PairId, error: unknown): void {
    const session = this.#sessions[pair] ?? null;
    reportUnlessShared(this.#deps.internalError, error, session?.listener.plan.name ?? null);
    if (session === null) return escalate(error);
    const { at } = session.phase;
    try {
      if (at === 'entering' || at === 'closing') this.#deps.engine.close(pair, 'reset');
      else this.#end(session, 'sluice', stageOf(session), 'internal-error', 'reset');
    } catch (further) {
      escalate(further);
    }
  }

  acceptFailed(key: ListenerKey, errno: string): void {
    this.#deps.acceptFailed(key, errno);
  }

  #begin(session: TcpSession): void {
    session.phase = { at: 'choosing' };
    this.#book.accepted(session);
    session.expiresMs = expiryOf(session, this.#deps.random);
    this.#early.begin(session);
  }

  #dial(session: TcpSession, lease: Lease): void {
    const { engine, clock } = this.#deps;
    const now = clock.nowMs();
    session.dials(lease, now);
    this.#book.dialling(session, lease.backend);
    this.#wheel.set(session.pair, now + session.waiting.pool.settings.connectTimeoutMs);
    engine.dial(session.pair, lease.backend.endpoint, preludeFor(session, engine));
  }

  /** The time of the dial is the time of this, too. */
  #ask(session: TcpSession, lease: Lease): void {
    session.phase = { at: 'asking', lease };
    this.#deps.engine.ask(session.pair);
  }

  #relay(session: TcpSession, lease: Lease, nowMs: number): void {
    session.relayedMs = nowMs;
    session.phase = { at: 'relaying', lease, sinceMs: nowMs };
    this.#keys.begin(session);
    this.#deps.engine.relay(session.pair);
    this.#relays.arm(session, nowMs);
  }

  #rest(session: TcpSession): void {
    const atMs = nextDialMs(session, this.#deps.clock.nowMs());
    if (atMs === null) return this.#end(session, 'sluice', 'dial', 'resource-limit', 'reset');
    session.phase = { at: 'resting' };
    this.#wheel.set(session.pair, atMs);
  }

  #expired(session: TcpSession, nowMs: number): void {
    const { phase, pair } = session;
    switch (phase.at) {
      case 'entering':
      case 'choosing':
      case 'closing':
        return;
      case 'cancelling':
        return this.#end(session, 'client', 'accept', 'cancel-handed-on', 'flush');
      case 'early':
        return this.#early.expired(session, phase.reading);
      case 'resting':
        session.phase = { at: 'choosing' };
        return this.choosing.choose(session);
      case 'unproven':
        return this.#end(session, 'sluice', 'select', 'all-down', 'reset');
      case 'queued':
        session.queueMs = nowMs - phase.sinceMs;
        return this.#end(session, 'sluice', 'queue', 'queue-timeout', 'reset');
      case 'dialling':
        this.#deps.engine.cancelDial(pair);
        return this.dialFailed(pair, 'timeout');
      case 'asking':
        return this.#end(session, 'backend', 'dial', 'dial-failed', 'reset');
      case 'relaying':
        return this.#relayDue(session, nowMs);
      default:
        return unreachable(phase);
    }
  }

  #rearm(listener: TcpListener): void {
    const now = this.#deps.clock.nowMs();
    for (const session of this.#open()) {
      if (session.listener === listener) this.#relays.rearm(session, now);
    }
  }

  #relayDue(session: TcpSession, nowMs: number): void {
    if (session.notice !== null && session.notice.atMs <= nowMs) return this.#noticeDue(session);
    const cause = this.#relays.overdue(session, nowMs);
    if (cause !== null) this.#end(session, 'sluice', 'relay', cause, 'flush');
  }

  #noticeDue(session: TcpSession): void {
    const { notice } = session;
    if (notice === null || session.phase.at === 'closing') return;
    const stage = session.phase.at === 'relaying' ? 'drain' : stageOf(session);
    this.#end(session, 'sluice', stage, notice.cause, isAbrupt(notice.cause) ? 'reset' : 'flush');
  }

  /** Asks the engine to end a session; its account is closed when the engine reports it. */
  #end(session: TcpSession, by: EndedBy, stage: Stage, cause: Cause, how: HowToClose): void {
    const { phase } = session;
    if (phase.at === 'closing' || phase.at === 'entering') return;
    this.choosing.forget(session);
    this.#wheel.clear(session.pair);
    const isTold = how === 'reset' && tellRefusal(session, this.#deps.engine, cause);
    session.phase = { at: 'closing', lease: leaseOf(session), end: { by, stage, cause } };
    if (how === 'later') this.#turnedAway.resetLater(session);
    else this.#deps.engine.close(session.pair, isTold ? 'flush' : how);
  }

  /** Does for one session what is done for many: what breaks in it ends that session only. */
  #alone(session: TcpSession, work: (session: TcpSession) => void): void {
    try {
      work(session);
    } catch (error) {
      this.broken(session.pair, error);
    }
  }

  #open(): TcpSession[] {
    if (this.#count === 0) return [];
    return this.#sessions.filter(
      (session): session is TcpSession => session !== null && session.phase.at !== 'entering',
    );
  }

  #session(pair: PairId): TcpSession {
    return presentShared(
      this.#sessions[pair],
      'an engine reported an edge of a pair that is closed',
    );
  }
}
