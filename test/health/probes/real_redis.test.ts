/** The redis probe, and send-expect, against Redis itself. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import { makeCertificate } from '../../support/certificate.js';
import { eventually } from '../../support/deadline.js';
import { freePort } from '../../support/places.js';
import { haveServers } from '../../support/require_server.js';
import { REDIS_PROGRAMS, startRedis } from '../../support/servers/redis.js';
import { ask, line } from './ask.js';

type RedisSpec = Extract<ProbeSpec, { kind: 'redis' }>;

const SPEC: RedisSpec = { kind: 'redis', role: 'any', user: null, password: null, tls: null };
const PASSWORD_NAME = 'SLUICE_TEST_REAL_REDIS';
const PASSWORD = { kind: 'environment', name: PASSWORD_NAME } as const;

t.teardown(() => Reflect.deleteProperty(process.env, PASSWORD_NAME));

const SELF_SIGNED =
  'self-signed certificate: name it in tls_ca_file, or set tls_verify = false ' +
  '(DEPTH_ZERO_SELF_SIGNED_CERT)';

t.test('a primary and its replica', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const [primary, replica] = await startRedis(t, 2);
  if (primary === undefined || replica === undefined) return;
  const told = async (port: number, role: RedisSpec['role']): Promise<string> =>
    line(await ask({ ...SPEC, role }, port));
  await replica.command('replicaof', '127.0.0.1', String(primary.port));
  await replica.linked();

  await t.test('are distinguished', async (t) => {
    t.equal(await told(primary.port, 'any'), 'ok: ');
    t.equal(await told(primary.port, 'primary'), 'ok: role primary');
    t.equal(await told(primary.port, 'replica'), 'wrong-role: is primary, not replica');
    t.equal(await told(replica.port, 'replica'), 'ok: role replica');
    t.equal(await told(replica.port, 'primary'), 'wrong-role: is replica, not primary');
  });

  await t.test('are distinguished by INFO where ROLE is forbidden', async (t) => {
    process.env[PASSWORD_NAME] = 'limited';
    const limited: RedisSpec = { ...SPEC, user: 'probe', password: PASSWORD };
    const rules = ['acl', 'setuser', 'probe', 'on', '>limited', 'resetkeys', '-@all', '+ping'];
    for (const server of [primary, replica]) await server.command(...rules, '+info');
    t.equal(line(await ask({ ...limited, role: 'primary' }, primary.port)), 'ok: role primary');
    t.equal(line(await ask({ ...limited, role: 'replica' }, replica.port)), 'ok: role replica');
    await primary.command(...rules, '-info');
    t.match(
      line(await ask({ ...limited, role: 'primary' }, primary.port)),
      /^authentication: NOPERM/,
    );
    t.equal(line(await ask(limited, primary.port)), 'ok: ');
  });

  await t.test('a replica that has lost its primary is not ready as a replica', async (t) => {
    await primary.kill();
    await eventually('the loss', async () =>
      (await told(replica.port, 'replica')).startsWith('not-ready: the link') ? true : undefined,
    );
    t.equal(await told(replica.port, 'any'), 'ok: ', 'but answers, where any role will do');
    await replica.command('config', 'set', 'replica-serve-stale-data', 'no');
    t.match(await told(replica.port, 'any'), /^not-ready: MASTERDOWN/, 'unless it refuses to');
    await replica.command('replicaof', 'no', 'one');
    t.equal(await told(replica.port, 'primary'), 'ok: role primary', 'until it is promoted');
  });

  await t.test('a frozen server says nothing, and one that is gone refuses', async (t) => {
    replica.freeze('SIGSTOP');
    const abort = new AbortController();
    const asked = ask(SPEC, replica.port, abort.signal);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    t.equal(line(await asked), 'timeout: timed out waiting for the reply to PING');
    replica.freeze('SIGCONT');
    t.match(await told(primary.port, 'any'), /^refused: /);
  });
});

t.test('passwords, users and limits', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const [server] = await startRedis(t, 1, '--requirepass', 'hunter2');
  if (server === undefined) return;
  const told = async (spec: RedisSpec): Promise<string> => line(await ask(spec, server.port));
  const secured: RedisSpec = { ...SPEC, password: PASSWORD };

  t.equal(await told(SPEC), 'authentication: Redis asks for a password (NOAUTH)');
  process.env[PASSWORD_NAME] = 'wrong';
  t.equal(
    await told(secured),
    'authentication: Redis refuses the user or the password (WRONGPASS)',
  );
  process.env[PASSWORD_NAME] = 'hunter2';
  t.equal(await told(secured), 'ok: ', 'read anew, after it was rotated');
  t.equal(await told({ ...secured, user: 'default' }), 'ok: ');
  t.match(await told({ ...secured, user: 'nobody' }), /^authentication: .*WRONGPASS/);
});

t.test('a server that is full says so', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const [server] = await startRedis(t, 1);
  if (server === undefined) return;
  await server.command('config', 'set', 'maxclients', '1');
  const other = connect(server.port, '127.0.0.1');
  other.write('PING\r\n');
  await once(other, 'data');
  t.equal(line(await ask(SPEC, server.port)), 'not-ready: ERR max number of clients reached');
  other.destroy();
});

t.test('TLS', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS, 'openssl')) return;
  const { certFile, keyFile } = await makeCertificate(t);
  const port = await freePort();
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile];
  await startRedis(t, 1, ...['--tls-port', String(port), ...files, '--tls-auth-clients', 'no']);
  const tls = { serverName: 'localhost', verify: true, caFile: certFile };
  t.equal(line(await ask({ ...SPEC, role: 'primary', tls }, port)), 'ok: role primary');
  t.equal(line(await ask({ ...SPEC, tls: { ...tls, caFile: null } }, port)), `tls: ${SELF_SIGNED}`);
});

t.test('send-expect speaks enough of Redis', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const [server] = await startRedis(t, 1);
  if (server === undefined) return;
  const bytes = (text: string) => Buffer.from(text);
  const spec = (expected: string): ProbeSpec => ({
    kind: 'send-expect',
    steps: [
      { send: bytes('PING\r\n'), expect: bytes('+PONG') },
      { send: bytes('INFO replication\r\n'), expect: bytes(expected) },
      { send: bytes('QUIT\r\n'), expect: bytes('+OK') },
    ],
    minimumBytes: 50,
    tls: null,
  });
  t.equal(line(await ask(spec('role:master'), server.port)), 'ok: ');
  t.match(line(await ask(spec('role:slave'), server.port)), /^wrong-answer: expected "role:slave"/);
});
