/** Failed dials, first verdicts and returning backends, as clients see them. */
import { join } from 'node:path';
import t from 'tap';
import { accessLine } from '../support/access_lines.js';
import { startOperated } from '../support/ctl.js';
import { Daemon, startDaemon } from '../support/daemon.js';
import { nowMs, pass } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { burst, exchangeOnce, shortConnections, tally } from '../support/load/short_connections.js';
import { freePort, tempFolder } from '../support/places.js';
import { type BackendText, listenerText, poolText, serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

t.test('a failed dial goes on at once with a backend that was not tried', async (t) => {
  const [alive] = await startEchoes(t, 1);
  const dead = [await freePort(), await freePort()].map((port) => `127.0.0.1:${port}`);
  const daemon = await startDaemon(t, {
    access: 'all',
    toml: serviceText({
      name: 'echo',
      policy: 'round-robin',
      backends: [...dead.map((address) => ({ address })), { address: alive?.address ?? '' }],
      lines: 'retries = 2',
      health: 'probe = "none"',
    }),
  });
  const port = await daemon.port('echo');
  for (let i = 0; i < 9; i++) {
    const failure = await exchangeOnce({ port });
    t.equal(failure, null, 'no client notices');
  }
  const line = await accessLine(daemon, 'two tries', ({ tried }) => tried.length === 2);
  t.same([...line.tried].sort(), [...dead].sort());
  t.ok(line.duration_ms < 500, 'without a pause');
  const metrics = await daemon.metrics();
  t.equal(
    metrics.sum('sluice_dial_failures_total', { reason: 'refused' }),
    metrics.sum('sluice_retries_total'),
  );
});

t.test('while all are unproven, sessions wait for the first verdict', async (t) => {
  const [echo] = await startEchoes(t, 1);
  const health = 'probe = "tcp"\ninterval = "10s"\ntimeout = "2s"';
  const toml = serviceText({ name: 'echo', backends: echo ? [echo] : [], health });
  const daemon = await startDaemon(t, { access: 'all', toml });
  t.equal(await exchangeOnce({ port: await daemon.port('echo') }), null);
});

t.test(
  'backends die and return under load; health follows and no client fails for long',
  async (t) => {
    const echoes = await startEchoes(t, 3);
    const daemon = await startDaemon(t, {
      access: 'all',
      workers: 2,
      toml: serviceText({ name: 'echo', policy: 'p2c', backends: echoes }),
    });
    await daemon.backendsUp('echo', 3);
    const port = await daemon.port('echo');
    const load = shortConnections({ port }, 200, 6_000);
    const deaths: { readonly fromMs: number; readonly toMs: number }[] = [];
    for (const echo of echoes.slice(0, 2)) {
      await pass(500);
      const fromMs = nowMs();
      await echo.kill();
      deaths.push({ fromMs, toMs: nowMs() });
      await daemon.backendsUp('echo', 2);
      await echo.start();
      await daemon.backendsUp('echo', 3);
    }
    const { failures } = await load;
    const unexplained = failures.filter(
      ({ startedMs, endedMs }) =>
        !deaths.some(({ fromMs, toMs }) => startedMs <= toMs && endedMs >= fromMs),
    );
    t.same(tally(unexplained), {}, 'only sessions on a backend while it died may fail');
    const metrics = await daemon.metrics();
    t.equal(metrics.sum('sluice_backend_transitions_total', { to: 'down' }), 2);
  },
);

t.test('a backup serves only while no other backend is eligible', async (t) => {
  const [main, spare] = await startEchoes(t, 2);
  const daemon = await startDaemon(t, {
    access: 'all',
    toml: serviceText({
      name: 'echo',
      backends: [
        { address: main?.address ?? '' },
        { address: spare?.address ?? '', lines: 'backup = true' },
      ],
    }),
  });
  await daemon.backendsUp('echo', 2);
  const port = await daemon.port('echo');
  t.same(tally((await burst({ port }, 10, 5_000)).failures), {});
  t.same([main?.served, spare?.served], [10, 0]);
  await main?.kill();
  await daemon.backendsUp('echo', 1);
  t.same(tally((await burst({ port }, 10, 5_000)).failures), {});
  t.equal(spare?.served, 10);
});

t.test('with backups = "first" one serves at a time, in the order of the file', async (t) => {
  const [one, two] = await startEchoes(t, 2);
  const dead = { address: `127.0.0.1:${await freePort()}`, name: 'dead' };
  const first = { address: one?.address ?? '', name: 'first', lines: 'backup = true' };
  const second = { address: two?.address ?? '', name: 'second', lines: 'backup = true' };
  const toml = (...backends: BackendText[]) =>
    serviceText({ name: 'echo', backends, lines: 'backups = "first"' });
  const { daemon, ctl } = await startOperated(t, { toml: toml(dead, first, second) });
  await daemon.backendsUp('echo', 2);
  const port = await daemon.port('echo');
  const served = async (): Promise<readonly number[]> => {
    const before = [one?.served ?? 0, two?.served ?? 0];
    t.same(tally((await burst({ port }, 10, 5_000)).failures), {});
    return [one?.served ?? 0, two?.served ?? 0].map((now, index) => now - (before[index] ?? 0));
  };
  t.same(await served(), [10, 0]);
  const { stdout } = await ctl('backends');
  t.match(stdout, /a backup: it serves alone, because none before it is eligible/);
  t.match(stdout, /a backup: used when no other, and no backup before it, is eligible/);
  const reloaded = await daemon.reload(toml(dead, second, first));
  t.match(reloaded, { event: 'reloaded', changed: ['pool echo'] });
  t.same(await served(), [0, 10], 'the order is another one');
  await two?.kill();
  await daemon.backendsUp('echo', 1);
  t.same(await served(), [10, 0]);
});

t.test('UNIX sockets serve on both sides', async (t) => {
  const folder = tempFolder(t);
  const [echo] = await startEchoes(t, 1);
  const inner = join(folder, 'inner.sock');
  const outer = join(folder, 'outer.sock');
  const daemon = await startDaemon(t, {
    access: 'all',
    toml:
      listenerText({ name: 'inner', pool: 'tcp', bind: `unix:${inner}` }) +
      listenerText({ name: 'outer', pool: 'unix', bind: `unix:${outer}` }) +
      poolText({ name: 'tcp', backends: echo ? [echo] : [] }) +
      poolText({ name: 'unix', backends: [{ address: `unix:${inner}` }] }),
  });
  await daemon.backendsUp('unix', 1);
  const wire = await dial(t, { port: 0, path: outer });
  await wire.send('through two sockets');
  t.equal(await wire.readText(19), 'through two sockets');
  wire.finish();
  t.equal((await wire.readAll()).how, 'fin');
});

t.test('a port that is taken ends the start with a sentence, not a stack trace', async (t) => {
  const [taken] = await startEchoes(t, 1);
  const toml =
    listenerText({ pool: 'echo', bind: taken?.address ?? '' }) +
    poolText({ name: 'echo', backends: [{ address: '127.0.0.1:1' }] });
  const daemon = new Daemon(join(tempFolder(t), 'sluice.toml'), { access: 'all', toml });
  t.teardown(() => daemon.end());
  t.equal((await daemon.exited).code, 1);
  const told = daemon.complaints + JSON.stringify(daemon.events.past);
  t.match(told, /EADDRINUSE/);
  t.notMatch(told, /\n\s+at /);
});
