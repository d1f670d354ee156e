/** Orders to end sessions: which ones, in which sequence, and how each of them ends. */
import type { BackendId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { Cause, Stage } from '../../core/outcome.js';
import type { Random } from '../../core/random.js';
import type { Permanence } from '../due.js';
import { Notices } from '../notices.js';
import type { TcpEngine } from '../tcp_port.js';
import { leaseOf, stageOf } from './ends.js';
import type { TcpSession } from './session.js';
import type { SessionTable } from './session_table.js';

export interface EndOrder {
  /** null: sessions of every backend, and those that have none */
  readonly backend: BackendId | null;
  readonly cause: Cause;
  /** The ends are spread over this; 0 = now. */
  readonly spanMs: number;
  /** null: all of them */
  readonly limit: EndLimit | null;
  readonly order: Permanence;
}

/** Only sessions whose bytes move, at most this many, and none that is younger. */
export interface EndLimit {
  readonly count: number;
  readonly minAgeMs: number;
}

/** `later`: a reset, after the `delay` of the listener's limits. */
export type HowToClose = 'flush' | 'reset' | 'later';

/** Those that have been idle longest first. */
function concerned(
  open: readonly TcpSession[],
  { backend, limit }: EndOrder,
  lastActivityMs: Float64Array,
  nowMs: number,
): readonly TcpSession[] {
  const chosen = open.filter(
    (session) =>
      (backend === null || leaseOf(session)?.id === backend) &&
      (limit === null || mayMove(session, limit, nowMs)),
  );
  chosen.sort((a, b) => (lastActivityMs[a.pair] ?? 0) - (lastActivityMs[b.pair] ?? 0));
  return limit === null ? chosen : chosen.slice(0, limit.count);
}

/** One that has to end anyway is not moved. */
function mayMove(session: TcpSession, { minAgeMs }: EndLimit, nowMs: number): boolean {
  const { phase, notice, acceptedMs } = session;
  return phase.at === 'relaying' && notice === null && nowMs - acceptedMs >= minAgeMs;
}

/** Notices that do not wait: the backend does not serve, or the time to finish is over. */
const ABRUPT: ReadonlySet<Cause> = new Set<Cause>(['backend-down', 'killed', 'shutdown']);

function isAbrupt(cause: Cause): boolean {
  return ABRUPT.has(cause);
}

export interface EndOrdersDeps {
  readonly engine: TcpEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly sessions: SessionTable;
  readonly rearm: (session: TcpSession, nowMs: number) => void;
  readonly alone: (session: TcpSession, work: (session: TcpSession) => void) => void;
  readonly end: (session: TcpSession, stage: Stage, cause: Cause, how: HowToClose) => void;
}

/** Ends sessions by order: at once, or with a notice. */
export class EndOrders {
  readonly #deps: EndOrdersDeps;
  readonly notices: Notices<TcpSession>;

  constructor(deps: EndOrdersDeps) {
    this.#deps = deps;
    this.notices = new Notices({
      ...deps,
      all: () => deps.sessions.open(),
      isOver: (session) => deps.sessions.find(session.pair) !== session,
      due: (session) => deps.alone(session, () => this.due(session)),
      arm: deps.rearm,
    });
  }

  /** Those that have been idle longest go first. */
  give(order: EndOrder): void {
    const { engine, clock, sessions } = this.#deps;
    const chosen = concerned(sessions.open(), order, engine.lastActivityMs, clock.nowMs());
    this.notices.give(chosen, order);
  }

  /** Ends one whose notice says now. */
  due(session: TcpSession): void {
    const { notice } = session;
    if (notice === null || session.phase.at === 'closing') return;
    const stage = session.phase.at === 'relaying' ? 'drain' : stageOf(session);
    this.#deps.end(session, stage, notice.cause, isAbrupt(notice.cause) ? 'reset' : 'flush');
  }
}
