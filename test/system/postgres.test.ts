/** Real PostgreSQL servers behind the real daemon. */
import t from 'tap';
import { startDaemon } from '../support/daemon.js';
import { eventually, nowMs, pass } from '../support/deadline.js';
import { type PostgresSession, postgresSessions } from '../support/load/postgres_sessions.js';
import { mustRun, runToEnd } from '../support/process.js';
import { haveServers, program } from '../support/require_server.js';
import { POSTGRES_PROGRAMS, query, startPostgres } from '../support/servers/postgres.js';
import { serviceText } from '../support/settings.js';

t.test('psql sessions go in turn to three PostgreSQL servers', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const servers = await startPostgres(t, 3);
  const daemon = await startDaemon(t, {
    toml: serviceText({ name: 'pg', policy: 'round-robin', backends: servers }),
  });
  await daemon.backendsUp('pg', 3);
  const port = await daemon.port('pg');
  const answers: string[] = [];
  for (let i = 0; i < 6; i++) answers.push(await query(port, 'select inet_server_port()'));
  const expected = servers.flatMap((server) => [String(server.port), String(server.port)]);
  t.same(answers.sort(), expected.sort());
});

t.test(
  'probes leave no line in the log of PostgreSQL, by default and without a user',
  async (t) => {
    if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
    const [server] = await startPostgres(t, 1);
    if (server === undefined) return;
    const before = server.log.length;
    const kinds = ['tcp', 'postgres'];
    const health = (kind: string): string =>
      `probe = "${kind}"\ntimeout = "10s"\ninterval = "100ms"`;
    const services = kinds.map((kind) => {
      return serviceText({ name: kind, backends: [server], health: health(kind) });
    });
    const daemon = await startDaemon(t, { toml: services.join('') });
    for (const pool of kinds) {
      await daemon.metricSettles('sluice_probe_seconds_count', { pool }, (count) => count >= 10);
    }
    await daemon.stop();
    await query(server.port, "do $$ begin raise log 'a later line'; end $$");
    const added = (): readonly string[] => server.log.slice(before);
    await eventually('a later line', () => added().some((one) => LATER.test(one)) || undefined);
    t.same(
      added().filter((one) => !LATER.test(one)),
      [],
    );
  },
);

const LATER = /a later line|CONTEXT/;
const DOWN_INTERVAL_MS = 500;
const FAST_INTERVAL_MS = 250;
const RISE = 3;
const HEALTH = `probe = "tcp"
interval = "1s"
fast_interval = "${FAST_INTERVAL_MS}ms"
down_interval = "${DOWN_INTERVAL_MS}ms"
timeout = "1s"
fall = 2
rise = ${RISE}
`;

t.test('killing and restarting one PostgreSQL server fails no new connection', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const servers = await startPostgres(t, 3);
  await Promise.all(servers.map((server) => pgbench(server.port, '-i', '-q')));
  const daemon = await startDaemon(t, {
    toml: serviceText({
      name: 'pg',
      policy: 'least-connections',
      backends: servers,
      health: HEALTH,
    }),
  });
  await daemon.backendsUp('pg', 3);
  const port = await daemon.port('pg');

  const bench = runToEnd(program('pgbench'), benchArgs(port, '-S', '-c', '20', '-T', '10'));
  const sessions = postgresSessions({ port }, 25, 11_000);
  await pass(3_000);
  const [victim] = servers;
  if (victim === undefined) throw new Error('no server');
  const killMs = nowMs();
  await victim.kill();
  const deadMs = nowMs();
  await pass(2_500);
  await victim.start();
  const backMs = nowMs();

  const failures = (await sessions).filter((session) => 'failure' in session.result);
  t.same(
    failures.filter((session) => !inFlight(session, killMs, deadMs)),
    [],
    'none fails',
  );
  const again = (await sessions).find((session) => servedBy(session, victim.port, deadMs));
  const limitMs = DOWN_INTERVAL_MS + RISE * FAST_INTERVAL_MS + 750;
  t.ok(again !== undefined && again.endedMs - backMs < limitMs, 'it serves again within its rise');

  const { stdout, stderr } = await bench;
  const aborted = stderr.split('\n').filter((line) => /client \d+ .*aborted/.test(line)).length;
  t.ok(aborted > 0 && aborted < 12, `pgbench loses the killed server's sessions alone: ${aborted}`);
  t.match(stdout, /number of transactions actually processed: [1-9]/);
});

function pgbench(port: number, ...args: readonly string[]): Promise<string> {
  return mustRun(program('pgbench'), benchArgs(port, ...args));
}

function benchArgs(port: number, ...args: readonly string[]): readonly string[] {
  return [...args, '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', 'postgres'];
}

/** A session that was open while its server was being killed cannot survive. */
function inFlight(session: PostgresSession, killMs: number, deadMs: number): boolean {
  return session.startedMs <= deadMs && session.endedMs >= killMs;
}

function servedBy({ startedMs, result }: PostgresSession, port: number, afterMs: number): boolean {
  return startedMs > afterMs && 'server' in result && result.server === port;
}
