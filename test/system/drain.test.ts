/** Sessions that must go are closed over a span, and a backend that returns is loaded gently. */
import t, { type Test } from 'tap';
import { startDaemon } from '../support/daemon.js';
import { nowMs, pass } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { shortConnections, tally } from '../support/load/short_connections.js';
import { serviceText } from '../support/settings.js';
import { tryDial, type Wire } from '../support/wire.js';

const SESSIONS = 1_000;
const BUSY = 100;
const SPREAD_MS = 5_000;
const BUCKET_MS = 100;

t.test('draining 1,000 raw sessions spreads their closes, idle ones first', async (t) => {
  const echoes = await startEchoes(t, 2);
  const service = (count: number): string =>
    serviceText({
      name: 'echo',
      policy: 'least-connections',
      backends: echoes.slice(2 - count),
      lines: `drain_timeout = "1s"\ndrain_spread = "${SPREAD_MS}ms"`,
    });
  const daemon = await startDaemon(t, { toml: service(2), workers: 2, access: 'off' });
  await daemon.backendsUp('echo', 2);
  const port = await daemon.port('echo');
  // Half of them reach the backend that will be removed.
  const wires = await openMany(t, port, 2 * SESSIONS);
  t.same(
    echoes.map((echo) => echo.open),
    [SESSIONS, SESSIONS],
  );
  const closed: { readonly index: number; readonly atMs: number }[] = [];
  let removedMs = 0;
  for (const [index, wire] of wires.entries()) {
    void wire.ended.then(() => closed.push({ index, atMs: nowMs() - removedMs }));
  }
  const busy = (index: number): boolean => index < 2 * BUSY;
  const chatting = chat(
    wires.filter((_, index) => busy(index)),
    8_000,
  );

  await daemon.reload(service(1));
  removedMs = nowMs();
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === SESSIONS);
  t.equal(closed.length, SESSIONS, 'those of the other backend stay');
  const times = closed.map(({ atMs }) => atMs).sort((a, b) => a - b);
  const [first = 0, last = 0] = [times.at(0), times.at(-1)];
  t.ok(first > 900, `the first is closed after ${Math.round(first)} ms`);
  t.ok(last - first < SPREAD_MS * 1.2, `the last ${Math.round(last - first)} ms later`);
  const largest = Math.max(...histogram(times).values());
  // Evenly it is 20; a stall of a busy machine closes in one turn what was due in it.
  t.ok(largest < SESSIONS * 0.12, `at most ${largest} in ${BUCKET_MS} ms`);
  const lateOnes = closed.slice(-BUSY).filter(({ index }) => busy(index)).length;
  t.ok(lateOnes > BUSY * 0.8, `${lateOnes} of the last ${BUSY} were busy`);
  for (const wire of wires) wire.socket.destroy();
  await chatting;
});

const SLOW_START_MS = 6_000;

t.test("a returning backend's share of new sessions follows the ramp", async (t) => {
  const echoes = await startEchoes(t, 3);
  const daemon = await startDaemon(t, {
    access: 'off',
    toml: serviceText({
      name: 'echo',
      policy: 'round-robin',
      backends: echoes,
      lines: `slow_start = "${SLOW_START_MS}ms"`,
    }),
  });
  await daemon.backendsUp('echo', 3);
  const [returning, ...others] = echoes;
  if (returning === undefined) throw new Error('no backend');
  await returning.kill();
  await daemon.backendsUp('echo', 2);
  const up = daemon.nextEvent('backend-up', ({ backend }) => backend === returning.address);
  await returning.start();
  await up;
  const upMs = nowMs();
  const load = shortConnections({ port: await daemon.port('echo') }, 400, SLOW_START_MS + 500);
  for (let fromMs = 0; fromMs < SLOW_START_MS - 500; ) {
    const before = [returning, ...others].map((echo) => echo.served);
    await pass(1_000);
    const toMs = nowMs() - upMs;
    const served = [returning, ...others].map((echo, i) => echo.served - (before[i] ?? 0));
    const share = (served[0] ?? 0) / served.reduce((sum, count) => sum + count, 0);
    const weight = Math.min(1, (fromMs + toMs) / 2 / SLOW_START_MS);
    const due = weight / (2 + weight);
    t.ok(
      Math.abs(share - due) < 0.05,
      `up to ${toMs.toFixed()} ms: ${(100 * share).toFixed(1)} %, ${(100 * due).toFixed(1)} % is due`,
    );
    fromMs = toMs;
  }
  t.same(tally((await load).failures), {});
});

/** Opens sessions one after the other, each with one exchange. */
async function openMany(t: Test, port: number, count: number): Promise<readonly Wire[]> {
  const wires: Wire[] = [];
  t.teardown(() => {
    for (const wire of wires) wire.socket.destroy();
  });
  for (let i = 0; i < count; i++) {
    const wire = await tryDial({ port });
    if (typeof wire === 'string') throw new Error(`connect: ${wire}`);
    wires.push(wire);
    void wire.ended.then(() => wire.finish());
    await wire.send('x');
    await wire.read(1);
  }
  return wires;
}

/** Keeps sessions from being idle: a byte each every 200 ms, until they end. */
async function chat(wires: readonly Wire[], limitMs: number): Promise<void> {
  const untilMs = nowMs() + limitMs;
  while (nowMs() < untilMs && wires.some((wire) => !wire.socket.destroyed)) {
    for (const wire of wires) {
      if (wire.socket.writable) void wire.send('y').catch(() => {});
    }
    await pass(200);
  }
}

function histogram(timesMs: readonly number[]): ReadonlyMap<number, number> {
  const buckets = new Map<number, number>();
  for (const timeMs of timesMs) {
    const bucket = Math.floor(timeMs / BUCKET_MS);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }
  return buckets;
}
