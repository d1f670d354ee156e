/** Every probe against its real server, and against servers that do all kinds of wrong. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Fault, startTcpPeer, startUdpPeer } from '../contract/probe_peers.js';
import { makeCertificate } from '../support/certificate.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { freePort, tempFolder } from '../support/places.js';
import { haveServers } from '../support/require_server.js';
import { startDnsmasq } from '../support/servers/dnsmasq.js';
import { MARIADB_PROGRAMS, startMariadb } from '../support/servers/mariadb.js';
import { startNginx } from '../support/servers/nginx.js';
import {
  POSTGRES_PROGRAMS,
  query,
  SCRAM_USER,
  startPostgres,
} from '../support/servers/postgres.js';
import { REDIS_PROGRAMS, startRedis } from '../support/servers/redis.js';
import { listenerText, poolText } from '../support/settings.js';

const TIMING = `interval = "200ms"
fast_interval = "50ms"
down_interval = "100ms"
timeout = "500ms"
fall = 2
rise = 2
`;

/** A server that is well and has another role stands by. */
const WRONG_ROLE = 'wrong-role';
const eventOf = (cause: string): string =>
  cause === WRONG_ROLE ? 'backend-standby' : 'backend-down';

interface Probed {
  readonly address: string;
  /** The lines of [health] that say what is probed. */
  readonly probe: string;
}

t.test('every probe finds its real server up, and down once it is gone', async (t) => {
  const needed = [...POSTGRES_PROGRAMS, ...REDIS_PROGRAMS, ...MARIADB_PROGRAMS];
  if (!haveServers(t, ...needed, 'nginx', 'dnsmasq', 'openssl')) return;
  const secrets = tempFolder(t);
  const secret = (name: string, text: string): string => {
    writeFileSync(join(secrets, name), `${text}\n`, { mode: 0o600 });
    return join(secrets, name);
  };
  const [postgres] = await startPostgres(t, 1);
  const [redis] = await startRedis(t, 1, '--requirepass', 'open sesame');
  const [dns] = await startDnsmasq(t, 1);
  const mariadb = await startMariadb(t);
  const web = await startWeb(t);
  if (!postgres || !redis || !dns) throw new Error('no servers');
  await query(postgres.port, `create role ${SCRAM_USER} login password 'swordfish'`);

  const pools: Readonly<Record<string, Probed>> = {
    'pg-start': { address: postgres.address, probe: 'probe = "postgres"' },
    'pg-login': {
      address: postgres.address,
      probe: `probe = "postgres"
user = "${SCRAM_USER}"
role = "primary"
password_file = "${secret('pg', 'swordfish')}"`,
    },
    redis: {
      address: redis.address,
      probe: `probe = "redis"\npassword_file = "${secret('redis', 'open sesame')}"`,
    },
    mysql: { address: mariadb.address, probe: 'probe = "mysql"' },
    http: { address: web.plain, probe: 'probe = "http"\npath = "/up"\nstatus = 204' },
    https: {
      address: web.secure,
      probe: `probe = "http"\npath = "/up"\ntls = true\ntls_ca_file = "${web.certFile}"`,
    },
    tls: {
      address: web.secure,
      probe: `probe = "tls"\ntls_ca_file = "${web.certFile}"\nexpiry_warning = "1d"`,
    },
    'tls-ending': {
      address: web.secure,
      probe: 'probe = "tls"\ntls_verify = false\nexpiry_warning = "365d"',
    },
    'send-expect': {
      address: web.plain,
      probe: 'probe = "send-expect"\nsend = "GET /up HTTP/1.0\\r\\n\\r\\n"\nexpect = "204"',
    },
    dns: { address: dns.address, probe: 'probe = "dns"\nname = "service.test"' },
  };
  const wrong: Readonly<Record<string, Probed & { readonly cause: string }>> = {
    'pg-wrong-password': {
      address: postgres.address,
      probe: `probe = "postgres"\nuser = "${SCRAM_USER}"\npassword_file = "${secret('no', 'x')}"`,
      cause: 'authentication',
    },
    'pg-not-a-replica': {
      address: postgres.address,
      probe: 'probe = "postgres"\nuser = "postgres"\nrole = "replica"',
      cause: WRONG_ROLE,
    },
    'redis-no-password': {
      address: redis.address,
      probe: 'probe = "redis"',
      cause: 'authentication',
    },
    'redis-no-secret': {
      address: redis.address,
      probe: 'probe = "redis"\npassword_file = "/nowhere/secret"',
      cause: 'secret-unreadable',
    },
    'http-wrong-status': {
      address: web.plain,
      probe: 'probe = "http"\npath = "/down"',
      cause: 'not-ready',
    },
    'tls-stranger': { address: web.secure, probe: 'probe = "tls"', cause: 'tls' },
    'dns-refused': {
      address: dns.address,
      probe: 'probe = "dns"\nname = "nobody.example"',
      cause: 'not-ready',
    },
  };
  const daemon = await startDaemon(t, { toml: service({ ...pools, ...wrong }) });
  for (const pool of Object.keys(pools)) await daemon.backendsUp(pool, 1);
  for (const [name, { cause }] of Object.entries(wrong)) {
    const down = await daemon.event(eventOf(cause), ({ pool }) => pool === name);
    t.equal(down['cause'], cause, `${name}: ${down['detail']}`);
  }
  const noted = await daemon.event('probe-note', ({ pool }) => pool === 'tls-ending');
  t.match(noted['detail'], /^certificate ends in \d+ days$/);
  t.equal(daemon.eventsNamed('probe-note').length, 1, 'said once, of one pool');
  const shown = await shownByHealth(daemon);
  for (const pool of Object.keys(pools))
    t.match(shown.get(pool), { state: 'up', result: 'passed' });
  for (const [name, { cause }] of Object.entries(wrong)) {
    const [down] = daemon.eventsNamed(eventOf(cause), ({ pool }) => pool === name);
    const { state, result, detail } = shown.get(name) ?? {};
    const wanted = cause === WRONG_ROLE ? ['standby', 'standby'] : ['down', 'failed'];
    t.same([state, result], wanted, name);
    t.ok(detail && String(down?.['detail']).endsWith(detail), `/health of ${name}: ${detail}`);
  }
  t.notMatch(JSON.stringify(daemon.events.past), /swordfish|sesame/, 'no secret in the log');

  await Promise.all([postgres.kill(), redis.kill(), mariadb.kill(), dns.kill(), web.stop()]);
  for (const pool of Object.keys(pools)) await daemon.backendsUp(pool, 0);
});

const FAULTS: readonly Fault[] = [
  'garbage',
  'silence',
  'half an answer',
  'half an answer, then the end',
  'closing at once',
  'reset at once',
  'endless data',
];
/** What each fault may be called: some protocols show more than others. */
const CALLED: Readonly<Record<Fault, readonly string[]>> = {
  none: [],
  'one byte a time': [],
  garbage: ['wrong-answer', 'closed-early', 'tls'],
  silence: ['timeout'],
  'half an answer': ['timeout', 'wrong-answer', 'closed-early', 'tls'],
  'half an answer, then the end': ['closed-early', 'wrong-answer', 'tls'],
  'closing at once': ['closed-early', 'reset'],
  'reset at once': ['reset', 'closed-early'],
  'endless data': ['too-much-data', 'wrong-answer', 'tls'],
};
const PROBES: Readonly<Record<string, { readonly lines: string; readonly answer: string }>> = {
  'send-expect': { lines: 'send = "hello"\nexpect = "welcome"', answer: 'welcome' },
  http: { lines: '', answer: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n' },
  tls: { lines: 'tls_verify = false', answer: '\x16\x03\x03\x00\x50\x02\x00\x00\x4c\x03\x03' },
  redis: { lines: '', answer: '+PONG\r\n' },
  postgres: { lines: '', answer: 'R\0\0\0\x08\0\0\0\0' },
  mysql: { lines: '', answer: '\x20\0\0\0\x0a10.11.19-MariaDB\0' },
};

t.test('wrong answers of all kinds are distinguished, and nothing leaks', async (t) => {
  const pools: Record<string, Probed> = {};
  const expected = new Map<string, readonly string[]>();
  for (const [probe, { lines, answer }] of Object.entries(PROBES)) {
    for (const fault of FAULTS) {
      const first = { after: '', send: Buffer.from(answer, 'latin1') };
      const peer = await startTcpPeer({ steps: [first] }, fault);
      t.teardown(() => peer.stop());
      const name = `${probe}-${fault.replaceAll(/\W+/g, '-')}`;
      pools[name] = {
        address: `127.0.0.1:${peer.endpoint.port}`,
        probe: `probe = "${probe}"\n${lines}`,
      };
      expected.set(name, CALLED[fault]);
    }
  }
  const udp = await startUdpPeer(() => [Buffer.from('nobody speaks this')]);
  t.teardown(() => udp.stop());
  pools['dns-garbage'] = {
    address: `127.0.0.1:${udp.endpoint.port}`,
    probe: 'probe = "dns"\nname = "service.test"',
  };
  expected.set('dns-garbage', ['wrong-answer', 'timeout']);

  const daemon = await startDaemon(t, { toml: service(pools) });
  for (const [name, causes] of expected) {
    const down = await daemon.event('backend-down', ({ pool }) => pool === name);
    t.ok(causes.includes(String(down['cause'])), `${name}: ${down['cause']}: ${down['detail']}`);
  }
  for (const [name, { state, result, detail }] of await shownByHealth(daemon)) {
    t.same([state, result], ['down', 'failed'], name);
    t.not(detail, '', `/health of ${name}: ${detail}`);
  }
  const early = await daemon.descriptors();
  const probesSoFar = await failures(daemon);
  await daemon.metricSettles('sluice_probe_failures_total', {}, (sum) => sum > probesSoFar + 800);
  await eventually('no descriptor is left by 800 failed probes', async () =>
    (await daemon.descriptors()) <= early + 10 ? true : undefined,
  );
});

interface Shown {
  readonly state: string;
  readonly result: string;
  readonly detail: string;
}

/** What /health says of each pool's only backend. */
async function shownByHealth(daemon: Daemon): Promise<ReadonlyMap<string, Shown>> {
  const { pools } = JSON.parse((await daemon.get('/health')).body);
  const shown = new Map<string, Shown>();
  for (const { name, backends } of pools) {
    const [{ state, last_probe: last }] = backends;
    shown.set(name, { state, result: last.result, detail: last.detail });
  }
  return shown;
}

async function failures(daemon: Daemon): Promise<number> {
  return (await daemon.metrics()).sum('sluice_probe_failures_total');
}

/** A pool of one backend each, all of them behind listeners without clients. */
function service(pools: Readonly<Record<string, Probed>>): string {
  return Object.entries(pools)
    .map(
      ([name, { address, probe }]) =>
        listenerText({ pool: name }) +
        poolText({ name, backends: [{ address }], health: `${probe}\n${TIMING}` }),
    )
    .join('');
}

interface Web {
  readonly plain: string;
  readonly secure: string;
  readonly certFile: string;
  stop(): Promise<unknown>;
}

/** nginx: /up answers 204, /down 503, with and without TLS. */
async function startWeb(t: Test): Promise<Web> {
  const { keyFile, certFile } = await makeCertificate(t);
  const [plain, secure] = [await freePort(), await freePort()];
  const child = await startNginx(
    t,
    `http {
  access_log off;
  server {
    listen 127.0.0.1:${plain};
    listen 127.0.0.1:${secure} ssl;
    ssl_certificate ${certFile};
    ssl_certificate_key ${keyFile};
    location = /up { return 204; }
    location = /down { return 503; }
  }
}`,
  );
  return {
    plain: `127.0.0.1:${plain}`,
    secure: `127.0.0.1:${secure}`,
    certFile,
    stop: () => child.stop('SIGTERM'),
  };
}
