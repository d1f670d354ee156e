/**
 * The life of every TCP session of one worker, engine-independent: what happens next after each
 * edge. Each phase that lasts has a file of its own (early_stages.ts, choosing.ts, dialling.ts,
 * relaying.ts), and so has counting (book.ts); this one knows the way from phase to phase.
 */
import { escalate, unreachable } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import { doEach } from '../../core/do_each.js';
import type { Cause, DialFailure, EndedBy, Stage } from '../../core/outcome.js';
import { DeadlineWheel } from '../deadline_wheel.js';
import { reportUnlessShared } from '../defect.js';
import { DUE_PER_TURN } from '../due.js';
import { Sweep } from '../sweep.js';
import type { ListenerKey, PairEnd, TcpEdges } from '../tcp_port.js';
import { SessionBook } from './book.js';
import { Choosing } from './choosing.js';
import type { CancelOutcome, TcpSessionsDeps } from './deps.js';
import { Dialling } from './dialling.js';
import { EarlyStages } from './early_stages.js';
import { type EndOrder, EndOrders, type HowToClose } from './ending.js';
import { leaseOf, type Over, sessionEndOf, settlementOf, stageOf } from './ends.js';
import { TcpListeners } from './listeners.js';
import { Relaying } from './relaying.js';
import { TcpSession } from './session.js';
import { SessionTable } from './session_table.js';
import { TcpSource } from './source.js';
import { tellRefusal } from './telling.js';
import { TurnedAway } from './turned_away.js';

export class TcpSessions implements TcpEdges {
  readonly #deps: TcpSessionsDeps;
  readonly #book: SessionBook;
  readonly #turnedAway: TurnedAway;
  readonly #early: EarlyStages;
  /** Pools, and the sessions that wait for a backend of one. */
  readonly choosing: Choosing;
  readonly #wheel: DeadlineWheel;
  readonly #dialling: Dialling;
  readonly #relaying: Relaying;
  readonly #sessions = new SessionTable();
  /** What a plan says of them goes there. */
  readonly listeners: TcpListeners;
  readonly #sweep: Sweep;
  /** The wheel's callback. These are made once: a new function costs its first call much. */
  readonly #expire = (id: number): void => {
    const session = this.#sessions.find(id);
    if (session !== null) this.#alone(session, this.#dueNow);
  };
  readonly #dueNow = (session: TcpSession): void => this.#expired(session, this.#tickMs);
  readonly #countBytes = (session: TcpSession): void => this.#book.countBytes(session);
  readonly #beginOne = (session: TcpSession): void => this.#early.begin(session);
  readonly #ends: EndOrders;
  /** For questions about them. */
  readonly source: TcpSource;
  readonly #atEnd: readonly ((over: Over) => void)[] = [
    ({ session }) => this.choosing.forget(session),
    ({ session }) => this.#relaying.over(session),
    ({ session, end, nowMs }) => this.#book.ended(session, end, nowMs),
    ({ session, end, nowMs }) => leaseOf(session)?.settle(settlementOf(session, end, nowMs)),
    ({ session }) => this.listeners.leave(session.listener),
    () => this.choosing.serveFreed(),
  ];
  #tickMs = 0;

  constructor(deps: TcpSessionsDeps) {
    this.#deps = deps;
    this.#book = new SessionBook(deps);
    this.#wheel = new DeadlineWheel(deps.engine.capacity, deps.clock.nowMs());
    this.#sweep = new Sweep(deps.engine.lastActivityMs);
    this.source = new TcpSource(this.#sessions.byPair, deps.engine, deps.ids);
    this.#ends = new EndOrders({
      ...deps,
      sessions: this.#sessions,
      rearm: (session, nowMs) => this.#relaying.rearm(session, nowMs),
      alone: (session, work) => this.#alone(session, work),
      end: (session, stage, cause, how) => this.#end(session, 'sluice', stage, cause, how),
    });
    this.listeners = new TcpListeners(deps, {
      begin: (session) => this.#alone(session, this.#beginOne),
      turnAway: (session) => this.#alone(session, () => deps.engine.close(session.pair, 'reset')),
      rearmSessionsOf: (listener) => this.#relaying.rearmAll(this.#sessions.open(), listener),
    });
    this.#turnedAway = new TurnedAway(deps, this.#book);
    const deadline = ({ pair }: TcpSession, atMs: number): void => this.#wheel.set(pair, atMs);
    const noDeadline = ({ pair }: TcpSession): void => this.#wheel.clear(pair);
    const book = this.#book;
    this.#relaying = new Relaying({
      ...deps,
      book,
      deadline,
      noticeDue: (session) => this.#ends.due(session),
      overdue: (session, cause) => this.#end(session, 'sluice', 'relay', cause, 'flush'),
    });
    this.#dialling = new Dialling({
      ...deps,
      book,
      deadline,
      noDeadline,
      done: (session, lease, nowMs) => this.#relaying.begin(session, lease, nowMs),
      choose: (session) => this.choosing.choose(session),
      fail: (session, cause) => {
        const by = cause === session.lacks ? 'sluice' : 'backend';
        this.#end(session, by, 'dial', cause, 'reset');
      },
    });
    this.#early = new EarlyStages({
      ...deps,
      book,
      turnedAway: this.#turnedAway,
      deadline,
      noDeadline,
      refuse: (session, cause, how) => this.#end(session, 'sluice', 'accept', cause, how),
      done: (session) => this.choosing.choose(session),
    });
    this.choosing = new Choosing({
      ...deps,
      dial: (session, lease) => this.#dialling.begin(session, lease),
      refuse: (session, stage, cause) => this.#end(session, 'sluice', stage, cause, 'reset'),
      alone: (session, work) => this.#alone(session, work),
      deadline,
      book,
    });
  }

  /** Sessions that are not over. */
  get count(): number {
    return this.#sessions.count;
  }

  set access(level: SessionBook['lines']['level']) {
    this.#book.lines.level = level;
  }

  endSessions(ending: EndOrder): void {
    if (ending.backend === null) this.#turnedAway.resetAll();
    this.#ends.give(ending);
  }

  get notices(): EndOrders['notices'] {
    return this.#ends.notices;
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
    this.#wheel.advance(nowMs, this.#expire, DUE_PER_TURN);
    this.#ends.notices.runAgain();
    this.choosing.serveFreed();
    if (this.#sweep.isTime(nowMs)) {
      this.#sweep.run(nowMs, this.#sessions.byPair, (session) =>
        this.#alone(session, this.#countBytes),
      );
      // Wake-ups that were lost are made good.
      this.rung();
    }
    const soonestMs = Math.min(this.#turnedAway.tick(nowMs), this.listeners.nextMs);
    if (this.#sessions.count === 0) return soonestMs;
    return Math.min(soonestMs, this.#wheel.nextMs(), this.#sweep.nextMs, this.#ends.notices.dueMs);
  }

  /** A CancelRequest has been handed on, or is one too many. */
  cancelled(pair: PairId, number: number, outcome: CancelOutcome): void {
    const session = this.#sessions.find(pair);
    if (session?.number !== number || session.phase.at !== 'cancelling') return;
    this.#alone(session, () =>
      outcome === 'handed on'
        ? this.#end(session, 'client', 'accept', 'cancel-handed-on', 'flush')
        : this.#end(session, 'sluice', 'accept', 'cancel-limit', 'reset'),
    );
  }

  accepted(key: ListenerKey, pair: PairId): void {
    const listener = this.listeners.byKey(key);
    if (this.#turnedAway.refuses(listener, key, pair)) return;
    const { ids, clock } = this.#deps;
    const session = new TcpSession(pair, ids.next(), listener, key, clock.nowMs());
    this.#sessions.add(session);
    this.listeners.receive(session);
  }

  earlyBytes(pair: PairId, bytes: Uint8Array): void {
    this.#early.bytes(this.#sessions.at(pair), bytes);
  }

  dialled(pair: PairId): void {
    this.#dialling.dialled(this.#sessions.at(pair));
  }

  asked(pair: PairId, byte: number | null): void {
    this.#dialling.asked(this.#sessions.at(pair), byte);
  }

  dialFailed(pair: PairId, failure: DialFailure): void {
    this.#dialling.failed(this.#sessions.at(pair), failure);
  }

  firstByte(pair: PairId): void {
    this.#relaying.firstByte(this.#sessions.at(pair));
  }

  heard(pair: PairId, bytes: Uint8Array): void {
    this.#relaying.heard(this.#sessions.at(pair), bytes);
  }

  parting(pair: PairId): void {
    this.#book.parting(this.#sessions.at(pair), this.#deps.clock.nowMs());
  }

  closed(pair: PairId, pairEnd: PairEnd): void {
    if (this.#turnedAway.over(pair)) return;
    const session = this.#sessions.at(pair);
    const { phase } = session;
    const end = phase.at === 'closing' ? phase.end : sessionEndOf(session, pairEnd);
    this.#wheel.clear(pair);
    this.#sessions.remove(session);
    if (phase.at === 'entering') return session.listener.forget(session);
    // All is given back whatever breaks, each thing once.
    doEach({ session, end, nowMs: this.#deps.clock.nowMs() }, this.#atEnd);
  }

  broken(pair: PairId, error: unknown): void {
    const session = this.#sessions.find(pair);
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

  #expired(session: TcpSession, nowMs: number): void {
    const { phase } = session;
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
        return this.#dialling.expired(session);
      case 'asking':
        return this.#end(session, 'backend', 'dial', 'dial-failed', 'reset');
      case 'relaying':
        return this.#relaying.expired(session, nowMs);
      default:
        return unreachable(phase);
    }
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
}
