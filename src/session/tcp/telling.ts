/** What a client hears that is refused before its relay, where its protocol has words for it. */
import type { Cause } from '../../core/outcome.js';
import { errorResponse } from '../early/postgres_refusal.js';
import type { TcpEngine } from '../tcp_port.js';
import type { TcpSession } from './session.js';

/** Tells a Postgres client that waits for its server why it gets none; false: it told nothing. */
export function tellRefusal(session: TcpSession, engine: TcpEngine, cause: Cause): boolean {
  const { facts, phase, pair } = session;
  if (facts.postgres?.kind !== 'start' || phase.at === 'relaying') return false;
  engine.answer(pair, errorResponse(cause));
  return true;
}
