/** What watches the daemon does no harm: readers that do not read, and silent connections. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { MAX_BYTES_IN_FLIGHT } from '../../src/admin/in_flight.js';
import { MAX_ADMIN_CONNECTIONS } from '../../src/admin/server.js';
import { type Daemon, parseAddress, startDaemon } from '../support/daemon.js';
import { eventually, nowMs } from '../support/deadline.js';
import { serviceText } from '../support/settings.js';

/** This many backends make an exposition worth holding. */
const BACKENDS = 300;
/** A page of the biggest size in each connection's buffers, and what a busy heap takes beside. */
const MEMORY_LIMIT_BYTES = MAX_BYTES_IN_FLIGHT + 128 * 1_048_576;
/** On a machine that does much else at the same time; it was 40 s. */
const ANSWER_LIMIT_MS = 6_000;
const METRICS = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';

t.test('pipelined requests whose answers are not read hold up no other', async (t) => {
  const { daemon, dial } = await observed(t);
  const before = daemon.rssBytes();
  for (let n = 0; n < 20; n++) {
    const socket = await dial();
    socket.pause();
    socket.write(METRICS.repeat(2_000));
  }
  let slowestMs = 0;
  let mostBytes = 0;
  for (let asked = 0; asked < 100; asked++) {
    const askedMs = nowMs();
    t.equal((await daemon.get(asked % 2 === 0 ? '/healthz' : '/ready')).status, 200);
    slowestMs = Math.max(slowestMs, nowMs() - askedMs);
    mostBytes = Math.max(mostBytes, daemon.rssBytes());
  }
  t.ok(slowestMs < ANSWER_LIMIT_MS, `the slowest answer took ${Math.round(slowestMs)} ms`);
  const grown = mostBytes - before;
  t.ok(grown < MEMORY_LIMIT_BYTES, `memory grew by ${Math.round(grown / 1e6)} MB`);
  t.equal((await daemon.get('/metrics')).status, 200);
});

t.test('much that is asked of the control API at once holds up no check', async (t) => {
  const { daemon, dial } = await observed(t);
  for (let n = 0; n < 30; n++) {
    const socket = await dial();
    socket.resume();
    socket.write('GET /v1/backends HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2_000));
  }
  let slowestMs = 0;
  for (let asked = 0; asked < 20; asked++) {
    const askedMs = nowMs();
    t.equal((await daemon.get(asked % 2 === 0 ? '/healthz' : '/ready')).status, 200);
    slowestMs = Math.max(slowestMs, nowMs() - askedMs);
  }
  // 60,000 answers of a millisecond each stood before it.
  t.ok(slowestMs < ANSWER_LIMIT_MS, `the slowest answer took ${Math.round(slowestMs)} ms`);
});

t.test('silent connections lock no other out', async (t) => {
  const { dial } = await observed(t);
  for (const count of [32, 200, 1_000]) {
    const silent: Socket[] = [];
    for (let n = 0; n < count; n++) silent.push((await dial()).resume());
    for (const path of ['/healthz', '/ready', '/health', '/metrics']) {
      // Not by fetch: a kept connection is silent too, and may be the one that is pushed out.
      const asking = await dial();
      asking.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      const answer = (await asking.toArray()).join('');
      t.match(answer, /^HTTP\/1\.1 200 /, `${path} beside ${count}`);
    }
    await eventually('the oldest silent ones have made way', () => {
      const open = silent.filter((socket) => !socket.closed).length;
      return open <= MAX_ADMIN_CONNECTIONS ? true : undefined;
    });
    for (const socket of silent) socket.destroy();
  }
});

t.test(
  'a page that is asked for by a foreign name is refused, and by others it is not',
  async (t) => {
    const { daemon, dial } = await observed(t, 'hosts = ["lb.example.org"]');
    const asked = async (path: string, host: string): Promise<string> => {
      const socket = await dial();
      socket.end(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      return (await socket.toArray()).join('');
    };
    t.match(
      await asked('/health', 'rebound.example'),
      /^HTTP\/1\.1 421 .*rebound\.example is not/s,
    );
    for (const path of ['/health', '/metrics', '/', '/v1/status']) {
      for (const host of FOREIGN) t.match(await asked(path, host), /^HTTP\/1\.1 421 /, host);
    }
    for (const host of OWN) t.match(await asked('/healthz', host), /^HTTP\/1\.1 200 /, host);
    t.same(daemon.eventsNamed('internal-error'), []);
  },
);

const FOREIGN = ['localhost.example', '127.0.0.1.example', 'me@localhost', 'xlb.example.org', ''];
const OWN = [
  'localhost',
  'LOCALHOST:80',
  '127.0.0.1',
  '10.1.2.3:9',
  '[::1]:9',
  'lb.example.org:443',
];

async function observed(
  t: Test,
  adminLines = '',
): Promise<{
  readonly daemon: Daemon;
  readonly dial: () => Promise<Socket>;
}> {
  const addresses = Array.from({ length: BACKENDS }, (_, n) => `127.0.0.1:${20_000 + n}`);
  const backends = addresses.map((address) => ({ address }));
  const toml = serviceText({ name: 'many', backends, health: 'probe = "none"' });
  const daemon = await startDaemon(t, { toml, adminLines });
  const { address } = await daemon.event('admin-listening');
  const target = parseAddress(String(address));
  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  const dial = async (): Promise<Socket> => {
    const socket = connect(target);
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  return { daemon, dial };
}
