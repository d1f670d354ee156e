/** What the daemon says of a file that it uses although something in it needs a look. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import t from 'tap';
import { accessLine } from '../support/access_lines.js';
import { BINARY, type Daemon, startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { freePort } from '../support/places.js';
import { haveServers } from '../support/require_server.js';
import { REDIS_PROGRAMS, redisCommand, startRedis } from '../support/servers/redis.js';
import { listenerText, poolText, serviceText } from '../support/settings.js';
import { dial, tryDial } from '../support/wire.js';

t.test('what `sluice check` warns of is reported at start and at every reload', async (t) => {
  const backends = await startEchoes(t, 1);
  const good = serviceText({ name: 'echo', backends });
  const odd = `${good}\n${poolText({ name: 'spare', backends })}`;
  const daemon = await startDaemon(t, { toml: odd });
  const problems = [/^\S+:\d+:\d+: warning: pools\.spare: no listener leads to this pool /];
  t.match(await daemon.event('config-warning'), { file: daemon.file, problems });
  const again = daemon.nextEvent('config-warning');
  await daemon.reload(odd);
  t.match(await again, { problems });
  await daemon.reload(good);
  t.equal(daemon.eventsNamed('config-warning').length, 2, 'and a good file is not warned of');
});

t.test('an admin page that could not be opened is tried again at a reload', async (t) => {
  const squatter = createServer();
  const port = await freePort();
  squatter.listen(port, '127.0.0.1');
  await once(squatter, 'listening');
  const backends = await startEchoes(t, 1);
  const toml = serviceText({ name: 'echo', backends });
  const daemon = await startDaemon(t, { toml, admin: `127.0.0.1:${port}` });
  t.match(await daemon.event('admin-failed'), { errno: 'EADDRINUSE', remedy: /reload/ });
  squatter.close();
  await once(squatter, 'close');
  await daemon.reload(toml);
  t.match(await daemon.event('admin-listening'), { address: `127.0.0.1:${port}` });
  t.equal((await daemon.get('/healthz')).status, 200);
});

t.test('a file whose reading waits for ever is refused, and the next reload goes on', async (t) => {
  const good = serviceText({ name: 'echo', backends: await startEchoes(t, 1) });
  const daemon = await startDaemon(t, { toml: good });
  for (const path of ['/proc/kmsg', '/dev/ptmx']) {
    rmSync(daemon.file);
    symlinkSync(path, daemon.file);
    const failed = daemon.nextEvent('reload-failed');
    daemon.signal('SIGHUP');
    t.match(await failed, { problems: [/cannot be read/] }, path);
    const words = [BINARY, 'check', '-c', path];
    const run = spawnSync(process.execPath, words, { encoding: 'utf8' });
    t.match({ status: run.status, stderr: run.stderr }, { status: 1, stderr: /cannot be read/ });
    rmSync(daemon.file);
    t.match(await daemon.reload(good), { event: 'reloaded' });
  }
});

t.test('a reload that the machine refuses says what helps', async (t) => {
  const squatter = createServer();
  squatter.listen(await freePort());
  await once(squatter, 'listening');
  t.teardown(() => squatter.close());
  const address = squatter.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const backends = await startEchoes(t, 1);
  const toml = serviceText({ name: 'echo', backends });
  const daemon = await startDaemon(t, { toml });
  const more = `${toml}\n${listenerText({ name: 'more', pool: 'echo', bind: `0.0.0.0:${port}` })}`;
  const refused = await daemon.reload(more);
  t.match(refused, { event: 'reload-failed', problems: [/EADDRINUSE.*`ss -lntup`/] });
});

t.test('a pool that is down is reported with the names of its backends', async (t) => {
  const dead = { name: 'gone', address: `127.0.0.1:${await freePort()}` };
  const daemon = await startDaemon(t, { toml: serviceText({ name: 'echo', backends: [dead] }) });
  t.match(await daemon.event('pool-down'), { cause: 'all-down', detail: 'gone down' });
  const metrics = await daemon.metrics();
  t.equal(metrics.sum('sluice_accepted_total', { listener: 'echo' }), 0);
  t.notMatch((await daemon.get('/metrics')).body, /^sluice_accepted_total\{.*backend=/m);
});

t.test('a panic is reported with how many were eligible before it', async (t) => {
  const [live] = await startEchoes(t, 1);
  if (live === undefined) return;
  const dead = { address: `127.0.0.1:${await freePort()}` };
  const pool = { name: 'echo', lines: 'panic_percent = 60', backends: [live, dead] };
  const daemon = await startDaemon(t, { toml: serviceText(pool) });
  t.match(await daemon.event('pool-panic'), { eligible: 1, backends: 2, percent: 60 });
});

t.test('a verdict names the probe, and a pool is down since its last backend is', async (t) => {
  const dead = { name: 'gone', address: `127.0.0.1:${await freePort()}` };
  const daemon = await startDaemon(t, { toml: serviceText({ name: 'echo', backends: [dead] }) });
  t.match(await daemon.event('backend-down'), {
    detail: /^2 tcp probes in a row failed, the last/,
  });
  await daemon.event('pool-down');
  const [pool] = await pools(daemon);
  const [backend] = pool?.backends ?? [];
  const lateMs = Date.parse(pool?.since ?? '') - Date.parse(backend?.since ?? '');
  t.ok(lateMs >= 0 && lateMs < 100, `the pool is ${lateMs} ms later`);
});

t.test('an ejected backend says what failed and how long it is out', async (t) => {
  const [live] = await startEchoes(t, 1);
  if (live === undefined) return;
  const dead = { name: 'dead', address: `127.0.0.1:${await freePort()}` };
  const sections = '[pools.echo.outlier]\nconsecutive_failures = 2\nbase_ejection = "30s"\n';
  const backends = [dead, live];
  const pool = { name: 'echo', backends, health: 'probe = "none"', sections };
  const daemon = await startDaemon(t, { toml: serviceText(pool) });
  const port = await daemon.port('echo');
  await eventually('the dead one is out', async () => {
    await dial(t, { port });
    return daemon.eventsNamed('backend-ejected').length > 0 ? true : undefined;
  });
  const [{ backends: shown = [] } = {}] = await pools(daemon);
  const out = shown.find(({ name }) => name === 'dead');
  t.match(out, {
    state: 'ejected',
    reason: /^2 failures in a row in real traffic; out for \d+ s more$/,
  });
});

t.test('a session that reached no backend names none, in log and metrics alike', async (t) => {
  const dead = { name: 'gone', address: `127.0.0.1:${await freePort()}` };
  const pool = { name: 'echo', backends: [dead], health: 'probe = "none"' };
  const daemon = await startDaemon(t, { toml: serviceText(pool) });
  const wire = await dial(t, { port: await daemon.port('echo') });
  await wire.closed;
  t.match(await accessLine(daemon, 'the session', () => true), {
    backend: null,
    tried: ['gone'],
    outcome: { cause: 'dial-failed' },
  });
  await daemon.metricSettles('sluice_refused_total', { backend: '' }, (n) => n === 1);
});

t.test('every refusal has its reason on the page', async (t) => {
  const dead = { address: `127.0.0.1:${await freePort()}` };
  const pool = { name: 'echo', backends: [dead], health: 'probe = "none"', lines: 'retries = 0' };
  const denied = listenerText({
    name: 'denied',
    pool: 'echo',
    lines: 'access.deny = ["0.0.0.0/0"]',
  });
  const daemon = await startDaemon(t, { toml: serviceText(pool) + denied });
  for (const listener of ['echo', 'echo', 'denied']) {
    // A reset may come before the client knows that it is connected.
    const wire = await tryDial({ port: await daemon.port(listener) });
    if (typeof wire !== 'string') await wire.closed;
  }
  await eventually('the page has them', async () => {
    const { body } = await daemon.get('/health');
    const { listeners } = JSON.parse(body) as { readonly listeners: readonly ShownListener[] };
    const told = listeners.map(({ name, refused }) => {
      return `${name}: ${refused.map(({ reason, count }) => `${reason} ${count}`).join()}`;
    });
    return told.sort().join('; ') === 'denied: denied 1; echo: dial-failed 2' ? true : undefined;
  });
  const { body } = await daemon.get('/health?format=text');
  t.match(body, /dial-failed 2/);
});

interface ShownListener {
  readonly name: string;
  readonly refused: readonly { readonly reason: string; readonly count: number }[];
}

t.test('two servers that say "primary" are reported, and shown as long as they do', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const [one, two] = await startRedis(t, 2);
  if (one === undefined || two === undefined) return;
  const health = 'probe = "redis"\nrole = "primary"\ninterval = "200ms"\nfast_interval = "100ms"\n';
  const file = (lines: string): string =>
    serviceText({
      name: 'db',
      backends: [
        { name: 'one', address: one.address },
        { name: 'two', address: two.address, lines },
      ],
      health,
    });
  const daemon = await startDaemon(t, { toml: file('weight = 0') });
  await daemon.backendsUp('db', 2);
  for (const lines of ['weight = 0', 'backup = true']) {
    await daemon.reload(file(lines));
    t.match((await pools(daemon))[0], { state: 'up', reason: '' }, `${lines}: it gets no writes`);
  }
  t.same(daemon.eventsNamed('several-primaries'), []);
  await daemon.reload(file(''));
  t.match(await daemon.event('several-primaries'), { pool: 'db', remedy: /fence/ });
  t.match((await pools(daemon))[0], {
    state: 'up',
    reason: /^2 backends say that they are the primary \(.+, .+\): each gets writes$/,
  });
  await redisCommand(two.port, 'replicaof', '127.0.0.1', String(one.port));
  await daemon.event('one-primary');
  await eventually('its probe found it well', async () => {
    const all = (await pools(daemon))[0]?.backends ?? [];
    return all.some(({ last_probe }) => last_probe?.result === 'standby') ? true : undefined;
  });
});

interface ShownPool {
  readonly since: string;
  readonly backends: readonly {
    readonly name: string;
    readonly since: string;
    readonly last_probe: { readonly result: string } | null;
  }[];
}

async function pools(daemon: Daemon): Promise<readonly ShownPool[]> {
  const page = JSON.parse((await daemon.get('/health')).body) as {
    readonly pools: readonly ShownPool[];
  };
  return page.pools;
}
