/** The postgres probe against PostgreSQL itself: logins, TLS, a full server, a quiet log. */
import { chownSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import { type CertificateFiles, makeCertificate } from '../../support/certificate.js';
import { eventually } from '../../support/deadline.js';
import { Child, identity } from '../../support/process.js';
import { haveServers, program } from '../../support/require_server.js';
import {
  POSTGRES_PROGRAMS,
  type Postgres,
  query,
  startPostgres,
} from '../../support/servers/postgres.js';
import { ask, line } from './ask.js';

type PostgresSpec = Extract<ProbeSpec, { kind: 'postgres' }>;

const PASSWORD = 'correct hörse';
const PASSWORD_NAME = 'SLUICE_TEST_REAL_PG';
const SPEC: PostgresSpec = {
  kind: 'postgres',
  role: 'any',
  user: null,
  database: 'postgres',
  password: null,
  maxLagMs: 0,
  allowCleartextPassword: true,
  tls: null,
};

t.before(() => {
  process.env[PASSWORD_NAME] = PASSWORD;
});
t.teardown(() => Reflect.deleteProperty(process.env, PASSWORD_NAME));

function as(user: string, more: Partial<PostgresSpec> = {}): PostgresSpec {
  return { ...SPEC, user, password: { kind: 'environment', name: PASSWORD_NAME }, ...more };
}

/** Lets each user in by the method that it is named after; `refused` never. */
async function methods(server: Postgres): Promise<void> {
  const local = '127.0.0.1/32';
  const lines = [
    `host all,replication postgres ${local} trust`,
    `host all refused ${local} reject`,
    `hostssl all secured ${local} scram-sha-256`,
    `host all scram ${local} scram-sha-256`,
    `host all md5 ${local} md5`,
    `host all clear ${local} password`,
    `host all trusted ${local} trust`,
  ];
  writeFileSync(join(server.data, 'pg_hba.conf'), `${lines.join('\n')}\n`);
  for (const user of ['refused', 'secured', 'scram', 'clear', 'trusted']) {
    await query(server.port, `create role ${user} login password '${PASSWORD}'`);
  }
  await query(
    server.port,
    `set password_encryption = 'md5'; create role md5 login password '${PASSWORD}'`,
  );
  await query(server.port, 'select pg_reload_conf()');
  await eventually('the new rules', async () =>
    line(await ask(as('nobody'), server.port)).includes('28000') ? true : undefined,
  );
}

async function secure(t: Test, server: Postgres): Promise<CertificateFiles> {
  const files = await makeCertificate(t);
  const { uid = -1, gid = -1 } = identity('postgres');
  for (const [from, name] of [
    [files.keyFile, 'server.key'],
    [files.certFile, 'server.crt'],
  ] as const) {
    const path = join(server.data, name);
    copyFileSync(from, path);
    if (uid >= 0) chownSync(path, uid, gid);
  }
  await query(server.port, 'alter system set ssl = on');
  await query(server.port, 'select pg_reload_conf()');
  return files;
}

const SELF_SIGNED =
  'self-signed certificate: name it in tls_ca_file, or set tls_verify = false ' +
  '(DEPTH_ZERO_SELF_SIGNED_CERT)';

t.test('a lone server', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS, 'openssl')) return;
  const [server] = await startPostgres(t, 1);
  if (server === undefined) return;
  const { port } = server;
  const told = async (spec: PostgresSpec): Promise<string> => line(await ask(spec, port));

  await t.test('without a user it is ready, whatever it asks us for', async (t) => {
    t.equal(await told(SPEC), 'ok: ', 'trust');
    await methods(server);
    t.equal(await told(SPEC), 'ok: ');
    t.equal(await told({ ...SPEC, user: null, database: 'nowhere' }).then(first), 'ok');
  });

  await t.test('every method of login works', async (t) => {
    for (const user of ['scram', 'md5', 'clear', 'trusted']) {
      t.equal(await told(as(user)), 'ok: role primary', user);
    }
  });

  await t.test('a wrong password, user, database or rule is reported', async (t) => {
    process.env[PASSWORD_NAME] = 'wrong';
    for (const user of ['scram', 'md5', 'clear', 'nobody']) {
      t.match(await told(as(user)), /^authentication: FATAL: .* \((28P01|28000)\)$/, user);
    }
    process.env[PASSWORD_NAME] = PASSWORD;
    t.equal(
      await told(as('clear', { allowCleartextPassword: false })),
      'authentication: asks for the password in clear, without TLS: ' +
        'set tls = true, or allow_cleartext_password',
    );
    t.match(await told(as('refused')), /^authentication: .*reject.* \(28000\)$/);
    t.match(await told(as('scram', { database: 'nowhere' })), /^not-ready: .* \(3D000\)$/);
    t.equal(
      await told(as('scram', { password: null })),
      'authentication: asks for a password, and none is configured',
    );
  });

  await t.test('the role is asked for', async (t) => {
    t.equal(await told(as('scram', { role: 'primary' })), 'ok: role primary');
    t.equal(await told(as('scram', { role: 'replica' })), 'wrong-role: is primary, not replica');
  });

  await t.test('TLS goes by SSLRequest, and the certificate is checked', async (t) => {
    const tls = { serverName: 'localhost', verify: false, caFile: null };
    t.equal(await told({ ...SPEC, tls }), 'tls: the server does not speak TLS');
    const { certFile } = await secure(t, server);
    const verified = { ...tls, verify: true, caFile: certFile };
    await eventually('TLS', async () =>
      (await ask({ ...SPEC, tls }, port)).ok ? true : undefined,
    );
    t.equal(await told(as('secured', { tls: verified })), 'ok: role primary');
    t.equal(await told(as('secured', { tls: { ...tls, verify: true } })), `tls: ${SELF_SIGNED}`);
    t.match(await told(as('secured')), /^authentication: .*no encryption/, 'not without TLS');
  });

  await t.test('probing leaves nothing in the log and no session behind', async (t) => {
    // The last refused login is over for us before PostgreSQL has written of it.
    await eventually('the lines of the refused logins above', () =>
      [/SSL connection/, /no encryption/].every((word) => server.log.some((one) => word.test(one)))
        ? true
        : undefined,
    );
    const before = server.log.length;
    for (let i = 0; i < 5; i++) {
      t.equal(await told(as('scram')).then(first), 'ok');
      t.equal(await told(as('scram', { role: 'replica' })).then(first), 'wrong-role');
    }
    await methodsOpen(server);
    for (let i = 0; i < 5; i++) t.equal(await told(SPEC), 'ok: ', 'asked for a password');
    await eventually('the end of every session', async () => {
      const sessions = "select count(*) from pg_stat_activity where application_name = 'sluice'";
      return (await query(port, sessions)) === '0' ? true : undefined;
    });
    const logged = server.log.slice(before).filter((said) => !said.includes('SIGHUP'));
    t.same(logged, [], 'but for the change of rules');
  });

  await t.test('a server that is full is not ready, with or without a user', async (t) => {
    await query(port, 'alter system set max_connections = 4');
    await query(port, 'alter system set superuser_reserved_connections = 0');
    await query(port, 'alter system set max_wal_senders = 0');
    await server.stop();
    await server.start();
    const dsn = `host=127.0.0.1 port=${port} user=postgres dbname=postgres`;
    const clients = Array.from({ length: 4 }, () => new Child(program('psql'), ['-XAtq', dsn]));
    t.teardown(() => Promise.all(clients.map((client) => client.kill())));
    for (const client of clients) client.write('select 1;\n');
    for (const client of clients) await client.stdout.first('a session', (out) => out === '1');
    t.match(await told(SPEC), /^not-ready: FATAL: sorry, too many clients already \(53300\)$/);
    t.match(await told(as('scram')), /^not-ready: FATAL: sorry, too many clients/);
  });
});

const first = (told: string): string => told.split(':', 1)[0] ?? '';

/** Asks every user for a password. */
async function methodsOpen(server: Postgres): Promise<void> {
  const lines = ['host all postgres 127.0.0.1/32 trust', 'host all all 127.0.0.1/32 scram-sha-256'];
  writeFileSync(join(server.data, 'pg_hba.conf'), `${lines.join('\n')}\n`);
  await query(server.port, 'select pg_reload_conf()');
  await eventually('the new rules', async () =>
    line(await ask(SPEC, server.port)) === 'ok: ' ? true : undefined,
  );
}
