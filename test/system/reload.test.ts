/** Reload without loss: in place, in one process, under load. */
import t from 'tap';
import { accessLine } from '../support/access_lines.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { nowMs, pass } from '../support/deadline.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { reloadStorm } from '../support/load/reload_storm.js';
import { exchangeOnce, shortConnections, tally } from '../support/load/short_connections.js';
import { finishStreams, openStreams } from '../support/load/verified_stream.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText, serviceText } from '../support/settings.js';
import { dial, tryDial, type Wire } from '../support/wire.js';

const STORM_MS = 20_000;
const RELOADS = 200;
const LONG = 100;
const SHORT_PER_SECOND = 500;
const SWAPS_MS = 5_000;
const SWAPS = 20;

t.test('200 reloads in 20 s under load disturb not one connection', async (t) => {
  const echoes = await startEchoes(t, 4);
  const three = service(echoes.slice(0, 3), 'drain_timeout = "10m"');
  const four = service(echoes, 'drain_timeout = "10m"\nqueue_timeout = "4s"');
  const invalid = three.replace('policy', 'polizy');
  const daemon = await startDaemon(t, { toml: three, workers: 2, access: 'errors' });
  await daemon.backendsUp('echo', 3);
  const port = await daemon.port('echo');
  const long = await openStreams({ port }, LONG, 25);

  const shorts = shortConnections({ port }, SHORT_PER_SECOND, STORM_MS);
  const counters = watchCounters(daemon, STORM_MS);
  const outcomes = await reloadStorm(daemon, [four, invalid, three], RELOADS, STORM_MS);
  const report = await shorts;

  t.same(tally(report.failures), {}, 'no short connection is refused, reset or changed');
  const expected = outcomes.map((_, i) => (i % 3 === 1 ? 'reload-failed' : 'reloaded'));
  t.same(outcomes, expected, 'the invalid file fails, the valid ones do not');
  t.same(await counters, [], 'no counter ever goes back');
  const total = LONG + report.done;
  await daemon.metricSettles('sluice_sessions_active', { pool: 'echo' }, (sum) => sum === LONG);
  const metrics = await daemon.metrics();
  t.equal(metrics.sum('sluice_sessions_total', { pool: 'echo' }), total - LONG);
  t.equal(metrics.sum('sluice_reloads_total'), RELOADS);

  await daemon.reload(three);
  const more = await openStreams({ port }, 30, 25);
  const open = echoes.slice(0, 3).map((echo) => echo.open);
  t.ok(Math.max(...open) - Math.min(...open) <= 1, `least connections stays level: ${open}`);
  t.same(await finishStreams([...long, ...more]), [], 'no long connection loses a byte');
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
});

t.test('a reload that replaces all backends of a pool refuses nobody', async (t) => {
  const echoes = await startEchoes(t, 2);
  const files = echoes.map((echo) => service([echo], ''));
  const daemon = await startDaemon(t, { toml: files[0] ?? '', workers: 2 });
  await daemon.backendsUp('echo', 1);
  const shorts = shortConnections({ port: await daemon.port('echo') }, SHORT_PER_SECOND, SWAPS_MS);
  await reloadStorm(daemon, files.toReversed(), SWAPS, SWAPS_MS);
  t.same(tally((await shorts).failures), {});
});

t.test('a listener that moves between one address and all of them refuses nobody', async (t) => {
  const echoes = await startEchoes(t, 1);
  const port = await freePort();
  const at = (host: string): string =>
    service(echoes, '').replace(/bind = .*/, `bind = "${host}:${port}"`);
  const daemon = await startDaemon(t, { toml: at('0.0.0.0'), workers: 2 });
  await daemon.backendsUp('echo', 1);
  const shorts = shortConnections({ port }, SHORT_PER_SECOND, SWAPS_MS);
  const outcomes = await reloadStorm(daemon, [at('127.0.0.1'), at('0.0.0.0')], SWAPS, SWAPS_MS);
  t.same(outcomes, Array(SWAPS).fill('reloaded'));
  t.same(tally((await shorts).failures), {});
});

t.test('an invalid file changes nothing and tells all its problems', async (t) => {
  const echoes = await startEchoes(t, 1);
  const toml = service(echoes, '');
  const daemon = await startDaemon(t, { access: 'all', toml });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  const record = await daemon.reload(toml.replace('policy', 'polizy').replace('pool =', 'pol ='));
  t.equal(record.event, 'reload-failed');
  const told = JSON.stringify(record);
  t.match(told, /:\d+:\d+: .*polizy/);
  t.match(told, /:\d+:\d+: .*pol\b/);
  t.equal(await exchangeOnce({ port }), null);
});

t.test('a changed bind opens the new address, then closes the old one', async (t) => {
  const echoes = await startEchoes(t, 1);
  const [first, second] = [await freePort(), await freePort()];
  const at = (port: number): string =>
    listenerText({ pool: 'echo', bind: `127.0.0.1:${port}` }) +
    poolText({ name: 'echo', backends: echoes });
  const daemon = await startDaemon(t, { access: 'all', toml: at(first) });
  await daemon.backendsUp('echo', 1);
  const held = await dial(t, { port: first });
  await held.send('one');
  t.equal(await held.readText(3), 'one');
  t.equal((await daemon.reload(at(second))).event, 'reloaded');
  t.equal(await exchangeOnce({ port: second }), null);
  t.equal(await tryDial({ port: first }), 'ECONNREFUSED');
  await held.send('two');
  t.equal(await held.readText(3), 'two', 'a session of the old address goes on');
});

t.test('a bind that cannot be opened fails the reload and keeps the old one', async (t) => {
  const echoes = await startEchoes(t, 1);
  const [taken] = await startEchoes(t, 1);
  const first = await freePort();
  const at = (port: number): string =>
    listenerText({ pool: 'echo', bind: `127.0.0.1:${port}` }) +
    poolText({ name: 'echo', backends: echoes });
  const daemon = await startDaemon(t, { access: 'all', toml: at(first) });
  await daemon.backendsUp('echo', 1);
  const record = await daemon.reload(at(taken?.port ?? 0));
  t.equal(record.event, 'reload-failed');
  t.match(JSON.stringify(record), /EADDRINUSE/);
  t.equal(await exchangeOnce({ port: first }), null);
});

t.test('a removed backend keeps its sessions for the drain time, then loses them', async (t) => {
  const echoes = await startEchoes(t, 2);
  const limits = 'drain_timeout = "1s"\ndrain_spread = "500ms"';
  const daemon = await startDaemon(t, { access: 'all', toml: service(echoes, limits) });
  await daemon.backendsUp('echo', 2);
  const port = await daemon.port('echo');
  const wires: Wire[] = [];
  // One after the other: workers that choose in the same instant do not see each other's choice.
  for (let i = 0; i < 2; i++) {
    const wire = await dial(t, { port });
    wires.push(wire);
    await wire.send('x');
    t.equal(await wire.readText(1), 'x');
  }
  t.same(
    echoes.map((echo) => echo.open),
    [1, 1],
  );
  await daemon.reload(service(echoes.slice(0, 1), limits));
  const removedMs = nowMs();
  for (const wire of wires) {
    await wire.send('y');
    t.equal(await wire.readText(1), 'y', 'both go on at first');
  }
  for (let i = 0; i < 5; i++) t.equal(await exchangeOnce({ port }), null);
  t.equal(echoes[1]?.served, 1, 'no new session reaches the removed backend');
  await Promise.race(wires.map((wire) => wire.ended));
  const afterMs = nowMs() - removedMs;
  t.ok(afterMs > 950 && afterMs < 2_500, `it is closed after ${Math.round(afterMs)} ms`);
  t.equal(echoes[0]?.open, 1, 'the other session stays');
  for (const wire of wires) wire.finish();
  const { outcome } = await accessLine(
    daemon,
    'the drained session',
    (line) => line.outcome.cause === 'drained',
  );
  t.match(outcome, { by: 'sluice', stage: 'drain' });
});

function service(echoes: readonly EchoBackend[], lines: string): string {
  return serviceText({ name: 'echo', policy: 'least-connections', backends: echoes, lines });
}

/** Reads all counters again and again and tells those that were seen to fall. */
async function watchCounters(daemon: Daemon, durationMs: number): Promise<readonly string[]> {
  const fallen: string[] = [];
  const last = new Map<string, number>();
  const untilMs = nowMs() + durationMs;
  while (nowMs() < untilMs) {
    for (const { name, labels, value } of (await daemon.metrics()).samples) {
      if (!/^sluice_\w+_(total|bucket|count)$/.test(name)) continue;
      const key = name + JSON.stringify(labels);
      if (value < (last.get(key) ?? 0)) fallen.push(`${key}: ${last.get(key)} to ${value}`);
      last.set(key, value);
    }
    await pass(500);
  }
  return fallen;
}
