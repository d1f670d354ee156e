/**
 * What a probe leaves in the log of a real server, at the server's default settings: the last
 * column of the table of probes in conf/reference.md is counted here.
 */
import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import { LOCAL_V2 } from '../../../src/session/proxy_protocol/encode.js';
import { eventually } from '../../support/deadline.js';
import { freePort, tempFolder } from '../../support/places.js';
import { runToEnd } from '../../support/process.js';
import { haveServers } from '../../support/require_server.js';
import { startDnsmasq } from '../../support/servers/dnsmasq.js';
import { startHaproxy } from '../../support/servers/haproxy.js';
import { MARIADB_PROGRAMS, startMariadb } from '../../support/servers/mariadb.js';
import { startNginx } from '../../support/servers/nginx.js';
import { POSTGRES_PROGRAMS, query, startPostgres } from '../../support/servers/postgres.js';
import { REDIS_PROGRAMS, startRedis } from '../../support/servers/redis.js';
import { ask, line } from './ask.js';

const TIMES = 5;
const TCP: ProbeSpec = { kind: 'tcp' };
const POSTGRES: ProbeSpec = {
  kind: 'postgres',
  role: 'any',
  user: null,
  database: 'postgres',
  password: null,
  maxLagMs: 0,
  allowCleartextPassword: false,
  tls: null,
};
const HTTP: ProbeSpec = {
  kind: 'http',
  method: 'GET',
  path: '/',
  host: null,
  status: [{ from: 200, to: 399 }],
  tls: null,
};
const REDIS: ProbeSpec = { kind: 'redis', role: 'any', user: null, password: null, tls: null };

interface Logged {
  readonly port: number;
  readonly log: () => readonly string[];
  /** Makes the server write a line that has `mark` in it. */
  readonly mark: (mark: string) => Promise<unknown>;
}

let marks = 0;

/**
 * The lines that `TIMES` probes leave, seen when a later line is there. A server with threads
 * writes its lines in any order: `lines` is how many are waited for, above that none is expected.
 */
async function leaves(
  t: Test,
  server: Logged,
  spec: ProbeSpec,
  prelude?: Uint8Array,
  lines = 0,
): Promise<readonly string[]> {
  const before = server.log().length;
  for (let i = 0; i < TIMES; i++) {
    const result = await ask(spec, server.port, new AbortController().signal, prelude);
    t.match(line(result), /^ok/);
  }
  const mark = `mark${++marks}`;
  const added = (): readonly string[] => server.log().slice(before);
  const others = (): readonly string[] => added().filter((one) => !/mark\d|CONTEXT/.test(one));
  await eventually(`a later line (${mark}) and ${lines} others`, async () => {
    await server.mark(mark);
    const marked = added().some((one) => one.includes(mark));
    return marked && others().length >= lines ? true : undefined;
  });
  return others();
}

t.test('PostgreSQL writes nothing about a probe, with a user or without', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const [server] = await startPostgres(t, 1);
  if (server === undefined) return;
  const mark = (text: string) => query(server.port, `do $$ begin raise log '${text}'; end $$`);
  const logged = { port: server.port, log: () => server.log, mark };
  t.same(await leaves(t, logged, TCP), []);
  t.same(await leaves(t, logged, POSTGRES), []);
  t.same(await leaves(t, logged, { ...POSTGRES, user: 'postgres', role: 'primary' }), []);
});

t.test('Redis writes nothing about a probe', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const [server] = await startRedis(t, 1, '--enable-debug-command', 'yes');
  if (server === undefined) return;
  const mark = (text: string) => server.command('debug', 'log', text);
  const logged = { port: server.port, log: () => server.log, mark };
  t.same(await leaves(t, logged, TCP), []);
  t.same(await leaves(t, logged, REDIS), []);
});

t.test(
  'MariaDB warns of each tcp probe, and of a mysql probe only without its account',
  async (t) => {
    if (!haveServers(t, ...MARIADB_PROGRAMS)) return;
    const server = await startMariadb(t);
    // A login that fails is logged, and names the user.
    const mark = (user: string) => refusedLogin(server.port, user);
    const logged = { port: server.port, log: () => server.log, mark };
    const aborted = await leaves(t, logged, TCP, undefined, TIMES);
    t.equal(aborted.length, TIMES);
    t.match(aborted[0], /Warning.*Aborted connection/);
    const denied = await leaves(t, logged, { kind: 'mysql' }, undefined, TIMES);
    t.equal(denied.length, TIMES);
    t.match(denied[0], /Access denied for user 'sluice'/);
    await server.query("create user 'sluice'@'localhost'");
    t.same(await leaves(t, logged, { kind: 'mysql' }), []);
  },
);

t.test('HAProxy writes the whole line of a session, behind a PROXY header too', async (t) => {
  if (!haveServers(t, 'haproxy')) return;
  const [plain, proxied, quiet] = [await freePort(), await freePort(), await freePort()];
  const [web, pages] = [await freePort(), await freePort()];
  const listen = (name: string, port: number, bind: string, more = ''): string => `listen ${name}
  bind 127.0.0.1:${port} ${bind}
  mode tcp
  log stdout format raw daemon
  option tcplog
  ${more}
  server s 127.0.0.1:${web}
`;
  const child = await startHaproxy(
    t,
    `${listen('plain', plain, '')}${listen('proxied', proxied, 'accept-proxy')}
${listen('quiet', quiet, '', 'option dontlognull')}
frontend web
  bind 127.0.0.1:${web}
  mode http
  http-request return status 200
frontend pages
  bind 127.0.0.1:${pages}
  mode http
  log stdout format raw daemon
  option httplog
  http-request return status 200`,
  );
  const mark = (text: string) => get(pages, `/${text}`);
  const log = () => child.stdout.past;
  for (const [name, port, prelude] of [
    ['plain', plain, undefined],
    ['proxied', proxied, LOCAL_V2],
  ] as const) {
    for (const spec of [TCP, HTTP]) {
      const lines = await leaves(t, { port, log, mark }, spec, prelude, TIMES);
      t.equal(lines.length, TIMES, `${name} ${spec.kind}`);
      // "--": neither side was cut off. "CC": the probe was over before HAProxy had its server.
      const ends = spec === TCP ? / (?:--|CC) \d/ : / -- \d/;
      t.ok(
        lines.every((one) => ends.test(one)),
        lines.join('\n'),
      );
    }
  }
  t.same(await leaves(t, { port: quiet, log, mark }, TCP), []);
  const requests = await leaves(t, { port: pages, log, mark }, HTTP, undefined, TIMES);
  t.equal(requests.length, TIMES);
});

t.test('nginx writes no error about a probe', async (t) => {
  if (!haveServers(t, 'nginx')) return;
  const [plain, proxied, stream] = [await freePort(), await freePort(), await freePort()];
  const file = join(tempFolder(t), 'access.log');
  const child = await startNginx(
    t,
    `http {
  access_log ${file};
  server { listen 127.0.0.1:${plain}; location / { return 200; } }
  server { listen 127.0.0.1:${proxied} proxy_protocol; location / { return 200; } }
}
stream {
  log_format short '$remote_addr $status';
  access_log ${file} short;
  server { listen 127.0.0.1:${stream}; proxy_pass 127.0.0.1:${plain}; }
}`,
  );
  const log = () => [...child.stderr.past, ...linesOf(file)];
  const mark = (text: string) => get(plain, `/${text}`);
  t.same(await leaves(t, { port: plain, log, mark }, TCP), []);
  const direct = await leaves(t, { port: plain, log, mark }, HTTP, undefined, TIMES);
  t.equal(direct.length, TIMES);
  t.same(await leaves(t, { port: proxied, log, mark }, TCP, LOCAL_V2), []);
  const behind = await leaves(t, { port: proxied, log, mark }, HTTP, LOCAL_V2, TIMES);
  t.equal(behind.length, TIMES);
  const sessions = await leaves(t, { port: stream, log, mark }, TCP, undefined, TIMES);
  t.same(sessions, Array(TIMES).fill('127.0.0.1 200'));
});

t.test('dnsmasq writes nothing about a probe', async (t) => {
  if (!haveServers(t, 'dnsmasq')) return;
  const [server] = await startDnsmasq(t, 1);
  if (server === undefined) return;
  // What it says about itself when a common client asks it, whose answer shows that it serves:
  // ended before that it would not say "exiting".
  const resolver = new Resolver({ tries: 1 });
  resolver.setServers([server.address]);
  t.same(await resolver.resolve4('service.test'), ['192.0.2.1']);
  await server.end();
  const unprobed = wordsOf(server.log);
  t.match(unprobed.at(-1), /exiting/);
  await server.start();
  const spec: ProbeSpec = { kind: 'dns', name: 'service.test', type: 'A', rcodes: ['NOERROR'] };
  for (let i = 0; i < TIMES; i++) t.match(line(await ask(spec, server.port)), /^ok/);
  await server.end();
  t.same(wordsOf(server.log), unprobed);
});

/** Lines without the id of the process that wrote them. */
function wordsOf(lines: readonly string[]): readonly string[] {
  return lines.map((one) => one.replace(/^\w+\[\d+\]: /, ''));
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

function get(port: number, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      answer.resume().on('end', resolve);
    })
      .on('error', reject)
      .end();
  });
}

/** A login over TCP under a name that no user has. */
async function refusedLogin(port: number, user: string): Promise<void> {
  const args = ['--no-defaults', '-h127.0.0.1', `-P${port}`, `-u${user}`, '-e', 'select 1'];
  await runToEnd('mariadb', args);
}
