/** Routes for psql: by the name in its TLS hello, and by what its session starts with. */
import { chownSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type CertificateFiles, makeCertificate } from '../support/certificate.js';
import { startDaemon } from '../support/daemon.js';
import { identity, type Output, runToEnd } from '../support/process.js';
import { haveServers, program } from '../support/require_server.js';
import {
  POSTGRES_PROGRAMS,
  type Postgres,
  query,
  startPostgres,
} from '../support/servers/postgres.js';
import { listenerText, poolText } from '../support/settings.js';

/** What it prints, or complains of: the port of the server, and whether there is TLS. */
const SQL =
  "select inet_server_port() || case when ssl then ' tls' else ' plain' end from pg_stat_ssl where pid = pg_backend_pid()";

function psql(words: string): Promise<Output> {
  const where = `hostaddr=127.0.0.1 user=postgres gssencmode=disable ${words}`;
  return runToEnd(program('psql'), ['-XAtqc', SQL, where]);
}

/** The server has TLS from now on. */
async function certify(server: Postgres, { keyFile, certFile }: CertificateFiles): Promise<void> {
  const { uid = 0, gid = 0 } = identity('postgres');
  for (const [from, name] of [
    [keyFile, 'server.key'],
    [certFile, 'server.crt'],
  ] as const) {
    copyFileSync(from, join(server.data, name));
    if (process.getuid?.() === 0) chownSync(join(server.data, name), uid, gid);
  }
  await query(server.port, 'alter system set ssl = on');
  await query(server.port, 'select pg_reload_conf()');
}

t.test('psql goes by the name that it asks for, by the database that it names', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS, 'openssl')) return;
  const files = await makeCertificate(t);
  const [secure, plain] = await startPostgres(t, 2);
  if (secure === undefined || plain === undefined) return;
  await certify(secure, files);
  const postgres = 'postgres.strict = true';
  const daemon = await startDaemon(t, {
    toml:
      listenerText({
        name: 'byname',
        pool: 'plain',
        lines: `${postgres}
routes = [
  { server_name = "localhost", pool = "secure" },
  { server_name = "closed.example", pool = "" },
  { database = "template1", pool = "secure" },
]`,
      }) +
      listenerText({
        name: 'bystart',
        pool: 'plain',
        lines: `${postgres}
routes = [
  { database = "template?", user = "post*", pool = "secure" },
  { application = "closed", pool = "" },
]`,
      }) +
      poolText({ name: 'secure', backends: [secure] }) +
      poolText({ name: 'plain', backends: [plain] }),
  });
  for (const pool of ['secure', 'plain']) await daemon.backendsUp(pool, 1);
  const byName = `port=${await daemon.port('byname')}`;
  const byStart = `port=${await daemon.port('bystart')}`;
  const verified = `host=localhost sslmode=verify-full sslrootcert=${files.certFile}`;
  const all = await Promise.all([
    psql(`${byName} ${verified} dbname=postgres`),
    psql(`${byName} host=other.example sslmode=require dbname=postgres`),
    psql(`${byName} host=closed.example sslmode=require dbname=postgres`),
    psql(`${byName} sslmode=disable dbname=template1`),
    psql(`${byName} sslmode=disable dbname=postgres`),
    psql(`${byStart} host=localhost sslmode=prefer dbname=template1`),
    psql(`${byStart} host=localhost sslmode=require dbname=template1`),
    psql(`${byStart} sslmode=prefer dbname=postgres`),
    psql(`${byStart} sslmode=prefer dbname=postgres application_name=closed`),
  ]);
  const told = all.map(({ stdout, stderr }) => `${stdout}${stderr}`.trim());
  const expected = [
    `${secure.port} tls`,
    // The server without TLS that the promise was made for: the session ends.
    /server closed the connection|SSL SYSCALL|Connection reset/,
    /unrecognized name|alert/,
    `${secure.port} plain`,
    `${plain.port} plain`,
    `${secure.port} plain`,
    /server does not support SSL, but SSL was required/,
    `${plain.port} plain`,
    /sluice does not serve this session: no-route/,
  ];
  for (const [index, one] of expected.entries()) t.match(told[index], one, `${index}`);
  await daemon.metricSettles(
    'sluice_refused_total',
    { reason: 'backend-without-tls', pool: 'plain' },
    (sum) => sum === 1,
  );
});
