/**
 * What PostgreSQL says about itself by SQL: its role and, of a replica, how far replay has come.
 */

import { quoted } from '../../secrets/quote.js';
import type { ProbeConnection } from './connection.js';
import { ProbeFailed } from './failed.js';
import { next } from './postgres_login.js';
import { queryMessage, readRow } from './postgres_wire.js';
import type { ReplaySample } from './replay_lag.js';

export interface PostgresStanding {
  readonly role: 'primary' | 'replica';
  readonly replay: ReplaySample;
}

const ROLE_SQL = 'select pg_is_in_recovery()';

/**
 * Needs no privilege: others than pg_monitor see a row of pg_stat_wal_receiver, though without
 * details. A receiver that connects again and again, and is refused, does not stream.
 */
const REPLAY_SQL = `select pg_is_in_recovery(),
 exists (select 1 from pg_stat_wal_receiver where coalesce(status, 'streaming') = 'streaming'),
 pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0'),
 pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'),
 extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000`;

/** Asks for the role, and for the replay if `what` says so. */
export async function askStanding(
  connection: ProbeConnection,
  what: 'role' | 'replay',
): Promise<PostgresStanding> {
  await connection.write(queryMessage(what === 'role' ? ROLE_SQL : REPLAY_SQL));
  let row: (string | null)[] = [];
  for (;;) {
    const message = await next(connection, 'the answer to the query');
    if (message.type === 'D') row = readRow(message.body);
    if (message.type === 'Z') break;
  }
  const [recovery, streaming, received, replayed, age] = row;
  if (recovery !== 't' && recovery !== 'f') {
    throw new ProbeFailed('wrong-answer', `pg_is_in_recovery() is "${quoted(recovery ?? 'NULL')}"`);
  }
  return {
    role: recovery === 't' ? 'replica' : 'primary',
    replay: {
      streaming: streaming === 't',
      receivedBytes: numberOf(received),
      replayedBytes: numberOf(replayed),
      transactionAgeMs: numberOf(age),
    },
  };
}

function numberOf(value: string | null | undefined): number {
  return Number.parseFloat(value ?? '');
}
