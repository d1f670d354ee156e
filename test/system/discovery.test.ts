/** Backends that come and go by themselves, and never vanish by mistake. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startOperated } from '../support/ctl.js';
import { BINARY, startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { startHosts, underTraffic } from '../support/load/rolling.js';
import { exchangeOnce, shortConnections, tally } from '../support/load/short_connections.js';
import { freePort, tempFolder } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { answering, type FakeDns, startFakeDns } from '../support/servers/fake_dns.js';
import { wrongServer } from '../support/servers/wrong_http.js';
import { serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const POOL = 'p';

function pool(source: string, lines = ''): string {
  const sections = `[[pools.${POOL}.discovery]]\n${source}\n`;
  return serviceText({ name: POOL, backends: [], sections, lines });
}

/** `name` is asked for at `server`, and its answers are as old as they may be. */
function dnsSource(server: FakeDns, port: number, lines = ''): string {
  return `kind = "dns"
name = "app.test"
port = ${port}
servers = ["127.0.0.1:${server.port}"]
min_refresh = "250ms"
${lines}`;
}

function tell(server: FakeDns, hosts: readonly string[]): void {
  server.reply = (query) => {
    const [question] = query.questions ?? [];
    const named = question?.type === 'A' ? hosts : [];
    return answering(
      query,
      named.map((data) => ({ type: 'A', name: 'app.test', ttl: 0, data })),
    );
  };
}

const range = (from: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => from + index);

t.test('members of a file come within two seconds, and those that leave are drained', async (t) => {
  const [a, b, c, d] = await startEchoes(t, 4);
  if (!a || !b || !c || !d) throw new Error('four are needed');
  const path = join(tempFolder(t), 'members.json');
  const put = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  const groups = (...echoes: readonly EchoBackend[]): string =>
    JSON.stringify([{ targets: echoes.map(({ address }) => address), labels: {} }]);
  put(groups(a, b, c));
  const toml = pool(
    `kind = "file"\npath = "${path}"\nhold = "0s"\n[[pools.${POOL}.backends]]\naddress = "${a.address}"\nname = "ours"\nweight = 7`,
    'policy = "round-robin"',
  ).replace('policy = "p2c"\n', '');
  const { daemon, ask, ctl } = await startOperated(t, { toml });
  const target = { port: await daemon.port(POOL) };
  await daemon.backendsUp(POOL, 3);
  const weights = await daemon.metrics();
  t.equal(weights.sum('sluice_backend_weight_effective', { backend: 'ours' }), 7, 'of the file');
  const wires = await Promise.all(range(0, 9).map(() => dial(t, target)));
  for (const wire of wires) {
    await wire.send(Buffer.from('x'));
    t.equal((await wire.read(1)).toString(), 'x');
  }
  t.ok(c.open > 0);
  const changed = daemon.nextEvent('discovery-changed', () => true, 2_500);
  put(groups(a, b, d));
  t.match(await changed, { pool: POOL, added: [d.address], removed: [c.address], backends: 3 });
  const removed = await daemon.event('backend-removed', ({ backend }) => backend === c.address);
  t.ok(Number(removed['sessions']) > 0);
  for (const wire of wires) {
    await wire.send(Buffer.from('y'));
    t.equal((await wire.read(1)).toString(), 'y', 'sessions of members that left go on');
    wire.finish();
  }
  await daemon.event('backend-drained', ({ backend }) => backend === c.address);

  put('[{"targets": ["10.0.0');
  t.match(await daemon.event('discovery-failed'), { cause: 'malformed', source: `file ${path}` });
  put('[]');
  await daemon.event('discovery-empty');
  t.equal(await exchangeOnce(target), null);
  t.match(await ask('discovery'), {
    items: [{ pool: POOL, state: 'empty', members: 3, held: [], reason: /names no member/ }],
  });
  t.match((await ctl('discovery')).stdout, /^POOL +SOURCE +STATE.*\np +file .* +empty /);
  const { body } = await daemon.get('/health?format=text');
  t.match(body, /SOURCE file .*: empty for .*it names no member/);
  const reloaded = await daemon.reload(toml.replace('weight = 7', 'weight = 8'));
  t.match(reloaded, { event: 'reloaded', added: [], removed: [], changed: ['backend p/ours'] });
  t.equal(daemon.eventsNamed('backend-removed').length, 1, 'a reload asks no source anew');
  put(groups(a, b, d));
  t.match(await daemon.event('discovery-recovered'), { before: 'empty' });
});

t.test('a source that names no member, one twice, or a socket from afar, says so', async (t) => {
  const [a, b] = await startEchoes(t, 2);
  if (!a || !b) throw new Error('two are needed');
  const server = await wrongServer(t);
  const say = (groups: readonly unknown[]): void => server.says(JSON.stringify(groups));
  say([]);
  const toml = pool(`kind = "http"\nurl = "${server.origin}/list"\ninterval = "1s"`);
  const { daemon, ask } = await startOperated(t, { toml });
  await daemon.event('discovery-empty');
  const none = { cause: 'no-backend', detail: /no member from http / };
  t.match(await daemon.event('pool-down'), none);
  t.match(await ask('discovery'), {
    items: [{ state: 'empty', members: 0, reason: /names no member/ }],
  });
  say([
    { targets: [a.address, 'unix:/run/x.sock', b.address], labels: {} },
    { targets: [a.address], labels: { __sluice_weight: '7' } },
  ]);
  t.match(await daemon.event('discovery-left-out'), {
    problems: [
      'unix:/run/x.sock: only a file may name UNIX sockets',
      `${a.address} is named once more, with other values: the first counts`,
    ],
  });
  await daemon.backendsUp(POOL, 2);
  t.equal((await daemon.metrics()).sum('sluice_backend_weight_effective', { pool: POOL }), 2);
  const discover = [BINARY, 'discover', '-c', daemon.file];
  const { stdout } = await runToEnd(process.execPath, discover);
  t.match(stdout, /: 2 members\n.*\n.*\n {2}left out: unix:.*\n {2}left out: .*once more/);
});

t.test('without its name server a daemon goes on, with all backends', async (t) => {
  const { port } = await startHosts(t, 9, 1, 2, 3);
  const server = await startFakeDns(t);
  const hosts = ['127.0.9.1', '127.0.9.2', '127.0.9.3'];
  tell(server, hosts);
  const daemon = await startDaemon(t, { toml: pool(dnsSource(server, port)) });
  const target = { port: await daemon.port(POOL) };
  await daemon.backendsUp(POOL, 3);
  server.reply = () => null;
  t.match(await daemon.event('discovery-failed'), { cause: 'timeout', detail: /did not answer/ });
  // Their TTL is long over, and some more questions are without an answer.
  const labels = { pool: POOL, source: `dns app.test:${port}`, reason: 'timeout' };
  await daemon.metricSettles('sluice_discovery_failures_total', labels, (sum) => sum >= 2);
  t.ok((await daemon.metrics()).sum('sluice_discovery_age_seconds') > 2);
  t.same((await shortConnections(target, 50, 500)).failures, []);
  tell(server, hosts.slice(0, 1));
  t.match(await daemon.event('discovery-suspicious'), {
    removed: [`127.0.9.2:${port}`, `127.0.9.3:${port}`],
    backends: 3,
    limit_ms: 10_000,
  });
  tell(server, hosts);
  await daemon.event('discovery-recovered', ({ before }) => before === 'suspicious');
  t.same(daemon.eventsNamed('backend-removed'), []);
  t.same(daemon.eventsNamed('backend-down'), []);
});

t.test(
  'a wrong answer that repeats takes no member that serves, and its correction is no loss',
  async (t) => {
    const [a, b] = await startEchoes(t, 2);
    if (!a || !b) throw new Error('two are needed');
    const empty = [`127.0.9.9:${await freePort()}`, `127.0.9.9:${await freePort()}`];
    const path = join(tempFolder(t), 'members');
    const put = (text: string): void => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    put(`${a.address}\n${b.address}\n`);
    const source = `kind = "file"\npath = "${path}"\nconfirm = "2s"\nhold = "0s"`;
    const daemon = await startDaemon(t, { toml: pool(source) });
    const target = { port: await daemon.port(POOL) };
    await daemon.backendsUp(POOL, 2);
    const lie = async (): Promise<void> => {
      put(empty.join('\n'));
      await daemon.event('discovery-suspicious');
      put('no address');
      await daemon.event('discovery-failed');
      put(empty.join('\n'));
      t.match(await daemon.event('discovery-changed', ({ added }) => `${added}` === `${empty}`), {
        removed: [],
      });
      t.match(await daemon.event('discovery-contradicted'), {
        kept: [a.address, b.address].sort(),
      });
      const suspicions = daemon.eventsNamed('discovery-suspicious').length;
      put(`${a.address}\n${b.address}\n`);
      await daemon.event('discovery-recovered', ({ before }) => before === 'contradicted');
      await daemon.event('discovery-changed', ({ removed }) => `${removed}` === `${empty}`);
      t.equal(daemon.eventsNamed('discovery-suspicious').length, suspicions);
    };
    const lied = lie();
    const [load] = await Promise.all([shortConnections(target, 50, 8_000), lied]);
    t.same(tally(load.failures), {});
    const left = daemon.eventsNamed('backend-removed').map(({ backend }) => backend);
    t.same(left.sort(), empty.sort());
  },
);

t.test('a member not named any more stays while it is well, and goes when it is not', async (t) => {
  const echoes = await startHosts(t, 9, 1, 2);
  const { port } = echoes;
  const server = await startFakeDns(t);
  tell(server, ['127.0.9.1', '127.0.9.2']);
  const daemon = await startDaemon(t, { toml: pool(dnsSource(server, port)) });
  await daemon.backendsUp(POOL, 2);
  tell(server, ['127.0.9.1']);
  await daemon.metricSettles('sluice_discovery_held', { pool: POOL }, (sum) => sum === 1);
  t.same(daemon.eventsNamed('backend-removed'), []);
  await echoes.kill(2);
  t.match(await daemon.event('backend-removed'), { backend: `127.0.9.2:${port}` });
  await daemon.metricSettles('sluice_discovery_held', { pool: POOL }, (sum) => sum === 0);
});

t.test('a start without the name server serves with what the last process knew', async (t) => {
  const { port } = await startHosts(t, 9, 1, 2);
  const server = await startFakeDns(t);
  tell(server, ['127.0.9.1', '127.0.9.2']);
  const state = tempFolder(t);
  const setup = { toml: pool(dnsSource(server, port)), state };
  const first = await startDaemon(t, setup);
  await first.backendsUp(POOL, 2);
  await eventually('it is kept', () =>
    existsSync(join(state, 'members.json')) ? true : undefined,
  );
  t.equal((await first.stop()).code, 0);
  server.reply = () => null;
  const second = await startDaemon(t, setup);
  await second.backendsUp(POOL, 2);
  t.equal(await exchangeOnce({ port: await second.port(POOL) }), null);
  await second.event('discovery-failed');
  writeFileSync(join(state, 'members.json'), '{"version": 1, "sou');
  await second.stop();
  tell(server, ['127.0.9.2']);
  const third = await startDaemon(t, setup);
  t.match(await third.event('state-unreadable'), { problems: [/it is no list of members/] });
  await third.backendsUp(POOL, 1);
});

t.test('thirty backends are replaced under traffic, and no client notices', async (t) => {
  const server = await startFakeDns(t);
  const hosts = await startHosts(t, 9, ...range(1, 30));
  const named = (from: number): string[] => range(from, 30).map((number) => hosts.host(number));
  tell(server, named(1));
  const toml = pool(dnsSource(server, hosts.port, 'hold = "0s"'));
  const daemon = await startDaemon(t, { toml });
  await daemon.backendsUp(POOL, 30);
  await underTraffic(t, { daemon, pool: POOL, perSecond: 500 }, async () => {
    for (let first = 1; first < 30; first += 10) {
      await hosts.start(...range(first + 30, 10));
      tell(server, named(first + 10));
      await Promise.all(range(first, 10).map((number) => hosts.leave(daemon, number)));
    }
  });
  t.equal(daemon.eventsNamed('backend-drained').length, 30);
  t.equal(daemon.eventsNamed('sessions-closing').length, 0);
  await daemon.metricSettles('sluice_backend_active', { pool: POOL }, (sum) => sum === 0);
});
