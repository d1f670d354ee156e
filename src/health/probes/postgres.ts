/**
 * postgres: does the server take sessions, and in which role?
 *
 * Without a user only the answer to a start-up message is looked at. PostgreSQL checks whether it
 * takes sessions at all (57P03: it starts or stops; 53300: too many clients) before it
 * authenticates, so a request for authentication proves that it serves; and so do the errors that
 * come after that check: a user (class 28) or a database (3D000) that the server does not know. No
 * password is sent, and the connection ends by FIN, which the server does not log.
 *
 * With a user the probe logs in and asks for the role. Class 28 then is a failure: credentials that
 * were configured are meant to be right.
 */
import type { ProbeSpec, ProbeTls } from '../../core/health_spec.js';
import type { Redactor } from '../../secrets/redactor.js';
import type { Probe, ProbeResult } from '../probe.js';
import type { Converse, ProbeConnection } from './connection.js';
import type { ProbeDeps } from './deps.js';
import { fullSuccess, ProbeFailed } from './failed.js';
import { AUTHENTICATED, authenticationCode, logIn } from './postgres_login.js';
import { askStanding, type PostgresStanding } from './postgres_standing.js';
import {
  type Message,
  readError,
  readMessage,
  SSL_REQUEST,
  startupMessage,
  TERMINATE,
} from './postgres_wire.js';
import { ReplayLag } from './replay_lag.js';
import { cared, readSecret } from './secrets.js';

type PostgresSpec = Extract<ProbeSpec, { kind: 'postgres' }>;

/**
 * The name under which the start-up message goes when none is configured. It need not exist; but a
 * server with `trust` authentication logs each name that does not, and this one most often does.
 * Nothing is queried under it.
 */
const USUAL_USER = 'postgres';

export function postgresProbe(
  spec: PostgresSpec,
  converse: Converse,
  deps: Pick<ProbeDeps, 'clock' | 'nonce'>,
  redactor: Redactor,
): Probe {
  const cleartext = spec.tls !== null || spec.allowCleartextPassword ? 'allowed' : 'refused';
  const lag = new ReplayLag();
  return {
    attempt: (target, signal) =>
      converse(target, signal, async (connection) => {
        if (spec.tls !== null) await upgrade(connection, spec.tls);
        const user = spec.user ?? USUAL_USER;
        const secret =
          spec.password === null ? null : await readSecret(spec.password, redactor, signal);
        await connection.write(startupMessage(user, spec.database));
        if (spec.user === null) return greeted(connection);
        const password = secret?.text ?? null;
        await logIn(connection, { user, password, nonce: deps.nonce(), redactor, cleartext });
        const wanted = spec.maxLagMs > 0 ? 'replay' : 'role';
        const { role, replay } = await askStanding(connection, wanted);
        await connection.finish(TERMINATE);
        judgeRole(spec, role);
        if (role === 'primary' || wanted === 'role')
          return cared(fullSuccess(`role ${role}`), secret);
        return cared(judgeLag(lag.atMost(replay, deps.clock.nowMs()), spec.maxLagMs), secret);
      }),
  };
}

async function upgrade(connection: ProbeConnection, tls: ProbeTls): Promise<void> {
  await connection.write(SSL_REQUEST);
  const [answer] = await connection.take(1, 'the answer to SSLRequest');
  switch (String.fromCharCode(answer ?? 0)) {
    case 'S':
      await connection.startTls(tls);
      return;
    case 'N':
      throw new ProbeFailed('tls', 'the server does not speak TLS');
    case 'E':
      throw new ProbeFailed('not-ready', 'the server answers SSLRequest with an error');
    default:
      throw new ProbeFailed('wrong-answer', 'not PostgreSQL: no answer to SSLRequest');
  }
}

async function greeted(connection: ProbeConnection): Promise<ProbeResult> {
  const message = await readMessage(connection, 'the answer to the start-up message');
  if (message.type === 'E') return refused(connection, message);
  if (authenticationCode(message) !== AUTHENTICATED) {
    await connection.finish();
    return fullSuccess();
  }
  // It let us in. A client that leaves in the middle of that is worth a log line to it.
  for (;;) {
    const next = await readMessage(connection, 'the end of the login');
    if (next.type === 'E') return refused(connection, next);
    if (next.type === 'Z') break;
  }
  await connection.finish(TERMINATE);
  return fullSuccess();
}

async function refused(connection: ProbeConnection, { body }: Message): Promise<ProbeResult> {
  const { sqlState, text } = readError(body);
  const serves = sqlState.startsWith('28') || sqlState === '3D000';
  if (!serves) throw new ProbeFailed('not-ready', text);
  await connection.finish();
  return fullSuccess(text);
}

function judgeRole(spec: PostgresSpec, role: PostgresStanding['role']): void {
  if (spec.role === 'any' || spec.role === role) return;
  throw new ProbeFailed('wrong-role', `is ${role}, not ${spec.role}`);
}

function judgeLag(lagMs: number | null, maxLagMs: number): ProbeResult {
  if (lagMs === null) throw new ProbeFailed('lagging', 'how far it lags is unknown');
  if (lagMs <= maxLagMs) return fullSuccess(`role replica, lags by at most ${lagMs} ms`);
  throw new ProbeFailed('lagging', `may lag by ${lagMs} ms, allowed are ${maxLagMs} ms`);
}
