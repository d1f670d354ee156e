/** Reload without loss, under load; reload_cases.test.ts has what one reload changes. */
import t from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { nowMs, pass } from '../support/deadline.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { reloadStorm } from '../support/load/reload_storm.js';
import { shortConnections, tally } from '../support/load/short_connections.js';
import { finishStreams, openStreams } from '../support/load/verified_stream.js';
import { freePort } from '../support/places.js';
import { serviceText } from '../support/settings.js';

const STORM_MS = 10_000;
const RELOADS = 200;
const LONG = 100;
const SHORT_PER_SECOND = 500;
const SWAPS_MS = 5_000;
const SWAPS = 20;

t.test('200 reloads in 10 s under load disturb not one connection', async (t) => {
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

t.test('a reload that replaces all backends of a pool refuses no client', async (t) => {
  const echoes = await startEchoes(t, 2);
  const files = echoes.map((echo) => service([echo], ''));
  const daemon = await startDaemon(t, { toml: files[0] ?? '', workers: 2 });
  await daemon.backendsUp('echo', 1);
  const shorts = shortConnections({ port: await daemon.port('echo') }, SHORT_PER_SECOND, SWAPS_MS);
  await reloadStorm(daemon, files.toReversed(), SWAPS, SWAPS_MS);
  t.same(tally((await shorts).failures), {});
});

t.test('a listener that moves between one address and all of them refuses no client', async (t) => {
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

function service(echoes: readonly EchoBackend[], lines: string): string {
  return serviceText({ name: 'echo', policy: 'least-connections', backends: echoes, lines });
}

/** Reads all counters again and again and returns those that were seen to fall. */
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
