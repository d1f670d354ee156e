/**
 * postgres: does the server take sessions, and in which role?
 *
 * Without a user only the answer to a start-up message is looked at. PostgreSQL checks whether it takes
 * sessions at all (57P03: it starts or stops; 53300: too many clients) before it asks who is there, so
 * a request for authentication proves that it serves; and so do the errors that come after that check:
 * a user (class 28) or a database (3D000) that the server does not know. No login is attempted, and
 * the connection ends by FIN, which the server does not log.
 *
 * With a user the probe logs in and asks for the role. Class 28 then is a failure: somebody who gave
 * credentials wants them to be right.
 */
import type { ProbeSpec, ProbeTls } from '../../core/spec.js';
import type { Probe, ProbeResult } from '../probe.js';
import { type Connection, converse } from './connection.js';
import type { ProbeDeps } from './deps.js';
import { Failed, printable, whole } from './failed.js';
import { authenticationCode, logIn, next } from './postgres_login.js';
import {
  queryMessage,
  readError,
  readMessage,
  readRow,
  SSL_REQUEST,
  startupMessage,
  TERMINATE,
} from './postgres_wire.js';
import { readSecret } from './secrets.js';

type PostgresSpec = Extract<ProbeSpec, { kind: 'postgres' }>;

/** The name under which the start-up message goes when none is configured; it need not exist. */
const NOBODY = 'sluice';

/**
 * Replay lag in seconds. A replica that is connected and has replayed all that it received has none,
 * however old the last transaction is; NULL: it has not replayed any, so nobody knows.
 */
const LAG_SQL = `case when not pg_is_in_recovery() then 0
 when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
 and exists (select 1 from pg_stat_wal_receiver) then 0
 else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) end`;

export function postgresProbe(spec: PostgresSpec, deps: Pick<ProbeDeps, 'nonce'>): Probe {
  return {
    attempt: (target, signal) =>
      converse(target, signal, async (connection) => {
        if (spec.tls !== null) await upgrade(connection, spec.tls);
        const user = spec.user ?? NOBODY;
        const password = spec.password === null ? null : await readSecret(spec.password);
        await connection.write(startupMessage(user, spec.database));
        if (spec.user === null) return greeted(connection);
        await logIn(connection, { user, password, nonce: deps.nonce() });
        const standing = await standingOf(connection, spec.maxLagMs > 0 ? LAG_SQL : '0', password);
        await connection.finish(TERMINATE);
        return judge(spec, standing);
      }),
  };
}

async function upgrade(connection: Connection, tls: ProbeTls): Promise<void> {
  await connection.write(SSL_REQUEST);
  const [answer] = await connection.take(1, 'the answer to SSLRequest');
  switch (String.fromCharCode(answer ?? 0)) {
    case 'S':
      await connection.startTls(tls);
      return;
    case 'N':
      throw new Failed('tls', 'the server does not speak TLS');
    case 'E':
      throw new Failed('not-ready', 'the server answers SSLRequest with an error');
    default:
      throw new Failed('wrong-answer', 'not PostgreSQL: no answer to SSLRequest');
  }
}

async function greeted(connection: Connection): Promise<ProbeResult> {
  const message = await readMessage(connection, 'the answer to the start-up message');
  if (message.type === 'E') {
    const { sqlState, text } = readError(message.body);
    const serves = sqlState.startsWith('28') || sqlState === '3D000';
    if (!serves) throw new Failed('not-ready', text);
    await connection.finish();
    return whole(text);
  }
  authenticationCode(message);
  await connection.finish();
  return whole();
}

interface Standing {
  readonly role: 'primary' | 'replica';
  /** NaN: unknown */
  readonly lagMs: number;
}

async function standingOf(
  connection: Connection,
  lagSql: string,
  secret: string | null,
): Promise<Standing> {
  await connection.write(queryMessage(`select pg_is_in_recovery(), ${lagSql}`));
  let row: (string | null)[] = [];
  for (;;) {
    const message = await next(connection, 'the answer to the query', secret);
    if (message.type === 'D') row = readRow(message.body);
    if (message.type === 'Z') break;
  }
  const [recovery, lagSeconds] = row;
  if (recovery !== 't' && recovery !== 'f') {
    throw new Failed('wrong-answer', `pg_is_in_recovery() is "${printable(recovery ?? 'NULL')}"`);
  }
  const lagMs = Math.round(Number(lagSeconds ?? Number.NaN) * 1_000);
  return { role: recovery === 't' ? 'replica' : 'primary', lagMs };
}

function judge(spec: PostgresSpec, { role, lagMs }: Standing): ProbeResult {
  if (spec.role !== 'any' && spec.role !== role) {
    throw new Failed('wrong-role', `is ${role}, not ${spec.role}`);
  }
  if (role === 'primary' || spec.maxLagMs === 0) return whole(`role ${role}`);
  if (Number.isNaN(lagMs)) throw new Failed('lagging', 'how far it lags is unknown');
  if (lagMs <= spec.maxLagMs) return whole(`role ${role}, lags by ${lagMs} ms`);
  throw new Failed('lagging', `lags by ${lagMs} ms, allowed ${spec.maxLagMs} ms`);
}
