/** How a session's end is reported: pure functions of its phase and of what the engine reported. */
import { unreachable } from '../../core/assert.js';
import type { Cause, End, Stage } from '../../core/outcome.js';
import type { Random } from '../../core/random.js';
import { type Lease, type Settlement, UNANSWERED_MS } from '../../pool/selection.js';
import { expiryMs } from '../lifetimes.js';
import type { PairEnd } from '../tcp_port.js';
import type { TcpSession } from './session.js';

/** A session that is over. */
export interface Over {
  readonly session: TcpSession;
  readonly end: End;
  readonly nowMs: number;
}

/** The reservation that a session holds now. */
export function leaseOf(session: TcpSession): Lease | null {
  const { phase } = session;
  return 'lease' in phase ? phase.lease : null;
}

const STAGE_OF = {
  entering: 'accept',
  early: 'accept',
  cancelling: 'accept',
  choosing: 'select',
  resting: 'dial',
  unproven: 'select',
  queued: 'queue',
  dialling: 'dial',
  asking: 'dial',
  relaying: 'relay',
  closing: 'relay',
} as const satisfies Record<TcpSession['phase']['at'], Stage>;

/** Where in its life a session is, in the words of the access line. */
export function stageOf(session: TcpSession): Stage {
  return STAGE_OF[session.phase.at];
}

/** What an end that sluice did not ask for says. */
export function sessionEndOf(session: TcpSession, end: PairEnd): End {
  const stage = stageOf(session);
  switch (end.kind) {
    case 'finished':
      return { by: end.first, stage, cause: 'finished' };
    case 'reset':
      return { by: end.by, stage, cause: end.by === 'client' ? 'client-reset' : 'backend-reset' };
    case 'client-gone':
      return { by: 'client', stage, cause: 'client-gone' };
    case 'closed':
      return { by: 'sluice', stage, cause: 'shutdown' };
    case 'limit':
      return { by: 'sluice', stage, cause: 'resource-limit' };
    default:
      return unreachable(end);
  }
}

/** With a backend that was reached; one that was not has settled its lease before. */
const FAILED: ReadonlySet<Cause> = new Set(['backend-reset', 'backend-without-tls', 'dial-failed']);

/**
 * Passive health: a reset before the first byte is the backend's failure, an answer its success. A
 * client that sent something and left unanswered counts only after a while: clients change
 * their mind.
 */
export function settlementOf(session: TcpSession, end: End, nowMs: number): Settlement {
  if (session.firstByteMs !== null) return 'served';
  if (FAILED.has(end.cause)) return 'failed';
  if (session.relayedMs === null || session.countedIn === 0) return 'neutral';
  return nowMs - session.relayedMs >= UNANSWERED_MS ? 'unanswered' : 'neutral';
}

/** When `max_session_age` ends a session that begins; Infinity: never. */
export function expiryOf({ acceptedMs, listener }: TcpSession, random: Random): number {
  return expiryMs(acceptedMs, listener.plan.settings.maxSessionAgeMs, random);
}

/** Why a relay that was active at `activeMs` has lasted long enough; null: it has not. */
export function overdue(
  { expiresMs, listener }: TcpSession,
  activeMs: number,
  nowMs: number,
): 'max-age' | 'idle-timeout' | null {
  if (expiresMs <= nowMs) return 'max-age';
  return activeMs + listener.plan.settings.idleTimeoutMs <= nowMs ? 'idle-timeout' : null;
}

/** "S": the answer of Postgres to an SSLRequest (PostgreSQL's documentation, 55.2.10). */
const TLS_IS_THERE = 0x53;

export type NoTls = 'backend-reset' | 'backend-without-tls';

/** The first byte of a backend that was asked for TLS; the answer null: it has it. */
export function whyNoTls(byte: number | null): NoTls | null {
  if (byte === TLS_IS_THERE) return null;
  return byte === null ? 'backend-reset' : 'backend-without-tls';
}
