/**
 * redis: PING, after AUTH if there is a password, and the role. A server that loads its data set or
 * has lost its primary says so instead of PONG and is not ready. A replica that is wanted as one
 * must have its link to the primary, because otherwise the age of its data is unknown.
 */
import type { ProbeSpec } from '../../core/health_spec.js';
import { redisCommand } from '../../core/redis_command.js';
import { quoted } from '../../secrets/quote.js';
import type { Redactor } from '../../secrets/redactor.js';
import type { Probe, ProbeResult } from '../probe.js';
import type { Converse, ProbeConnection } from './connection.js';
import { fullSuccess, ProbeFailed } from './failed.js';
import { type ProbeReply, readReply } from './resp.js';
import { cared, readSecret } from './secrets.js';

type RedisSpec = Extract<ProbeSpec, { kind: 'redis' }>;

export function redisProbe(spec: RedisSpec, converse: Converse, redactor: Redactor): Probe {
  return {
    attempt: (target, signal) =>
      converse(target, signal, async (connection) => {
        if (spec.tls !== null) await connection.startTls(spec.tls);
        const secret =
          spec.password === null ? null : await readSecret(spec.password, redactor, signal);
        await authenticate(connection, spec.user, secret?.text ?? null);
        await ping(connection);
        const found = spec.role === 'any' ? null : await replication(connection);
        await connection.finish();
        return cared(found === null ? fullSuccess() : judge(spec.role, found), secret);
      }),
  };
}

async function ask(connection: ProbeConnection, ...words: readonly string[]): Promise<ProbeReply> {
  await connection.write(redisCommand(...words));
  return readReply(connection, `the reply to ${words[0]}`);
}

async function authenticate(
  connection: ProbeConnection,
  user: string | null,
  password: string | null,
): Promise<void> {
  if (user === null && password === null) return;
  const reply = await ask(connection, 'AUTH', ...(user === null ? [] : [user]), password ?? '');
  if (reply.kind === 'error') throw new ProbeFailed('authentication', refused(reply.code));
}

function refused(code: string): string {
  return code === 'WRONGPASS'
    ? 'Redis refuses the user or the password (WRONGPASS)'
    : `Redis refuses AUTH (${quoted(code)})`;
}

async function ping(connection: ProbeConnection): Promise<void> {
  const reply = await ask(connection, 'PING');
  if (reply.kind === 'text' && reply.text === 'PONG') return;
  if (reply.kind !== 'error')
    throw new ProbeFailed('wrong-answer', 'PING was not answered with PONG');
  throw complaint(reply);
}

/**
 * What an error reply means: LOADING, MASTERDOWN, MISCONF, "max number of clients" are passing
 * states.
 */
function complaint(reply: { readonly code: string; readonly text: string }): ProbeFailed {
  switch (reply.code) {
    case 'NOAUTH':
      return new ProbeFailed('authentication', 'Redis asks for a password (NOAUTH)');
    case 'NOPERM':
      return new ProbeFailed('authentication', reply.text);
    default:
      return new ProbeFailed('not-ready', reply.text);
  }
}

interface Replication {
  /** `primary`, `replica`, or what Redis calls it otherwise. */
  readonly role: string;
  /** Of a replica: its link to the primary, `connected` when all is well. */
  readonly link: string;
}

function judge(wanted: string, { role, link }: Replication): ProbeResult {
  if (role !== wanted) throw new ProbeFailed('wrong-role', `is ${role}, not ${wanted}`);
  if (role === 'replica' && link !== 'connected') {
    throw new ProbeFailed('not-ready', `the link to the primary is in state "${quoted(link)}"`);
  }
  return fullSuccess(`role ${role}`);
}

/** By ROLE, or by INFO where ROLE is forbidden or unknown (proxies, managed services). */
async function replication(connection: ProbeConnection): Promise<Replication> {
  const reply = await ask(connection, 'ROLE');
  if (reply.kind === 'array') {
    const [role, , , link] = reply.items.map((item) => (item.kind === 'text' ? item.text : ''));
    return { role: roleOf(role), link: link ?? '' };
  }
  const info = await ask(connection, 'INFO', 'replication');
  if (info.kind === 'error') throw complaint(info);
  const text = info.kind === 'text' ? info.text : '';
  const field = (name: string): string => new RegExp(`^${name}:(\\w+)`, 'm').exec(text)?.[1] ?? '';
  const link = field('master_link_status');
  return { role: roleOf(field('role')), link: link === 'up' ? 'connected' : link };
}

function roleOf(name: string | undefined): string {
  if (name === 'master') return 'primary';
  return name === 'slave' ? 'replica' : quoted(name ?? 'nothing');
}
