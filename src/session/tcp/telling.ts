/** What a client gets that is refused before its relay, where its protocol has words for it. */
import type { Cause } from '../../core/outcome.js';
import { errorResponse } from '../early/postgres_refusal.js';
import type { Facts } from '../early/stage.js';
import type { TcpEngine } from '../tcp_port.js';
import type { TcpSession } from './session.js';

/** RFC 8446, 6: a record with a fatal alert, unrecognized_name (RFC 6066, 3). */
const UNRECOGNIZED_NAME = Uint8Array.of(21, 3, 3, 0, 2, 2, 112);

/** Tells a client that waits for its server why it gets none; false: it got nothing. */
export function tellRefusal(session: TcpSession, engine: TcpEngine, cause: Cause): boolean {
  const { facts, phase, pair } = session;
  const words = phase.at === 'relaying' || phase.at === 'asking' ? null : wordsFor(facts, cause);
  if (words === null) return false;
  engine.answer(pair, words);
  return true;
}

function wordsFor({ hello, postgres }: Facts, cause: Cause): Uint8Array | null {
  if (hello !== null) return cause === 'no-route' ? UNRECOGNIZED_NAME : null;
  return postgres?.kind === 'start' ? errorResponse(cause) : null;
}
