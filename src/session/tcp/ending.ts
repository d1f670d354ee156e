/** Which sessions an order to end concerns, and in which order they go. */
import type { BackendId } from '../../core/brand.js';
import type { Cause } from '../../core/outcome.js';
import { leaseOf } from './ends.js';
import type { TcpSession } from './session.js';

export interface EndOrder {
  /** null: sessions of every backend, and those that have none */
  readonly backend: BackendId | null;
  readonly cause: Cause;
  /** The ends are spread over this; 0 = now. */
  readonly spanMs: number;
  /** null: all of them */
  readonly limit: EndLimit | null;
}

/** Only sessions whose bytes move, at most so many, and none that is younger. */
export interface EndLimit {
  readonly count: number;
  readonly minAgeMs: number;
}

/** `later`: a reset, after the `delay` of the listener's limits. */
export type HowToClose = 'flush' | 'reset' | 'later';

/** Those that have been idle longest first. */
export function concerned(
  open: readonly TcpSession[],
  { backend, limit }: EndOrder,
  lastActivityMs: Float64Array,
  nowMs: number,
): readonly TcpSession[] {
  const chosen = open.filter(
    (session) =>
      (backend === null || leaseOf(session)?.backend.id === backend) &&
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

/** Notices that wait for nobody: the backend does not serve, or the time to finish is over. */
const ABRUPT: ReadonlySet<Cause> = new Set<Cause>(['backend-down', 'killed', 'shutdown']);

export function isAbrupt(cause: Cause): boolean {
  return ABRUPT.has(cause);
}
