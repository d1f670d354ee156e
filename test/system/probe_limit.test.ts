/**
 * `probes_per_second`: one limit over all pools, under which every interval stretches alike. And
 * what many probes cost.
 */
import { createServer } from 'node:net';
import t from 'tap';
import { detectUring } from '../../src/engine/uring/detect.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually, nowMs, pass } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { freePort } from '../support/places.js';
import { refuseCall } from '../support/refuse_call.js';
import { listenerText, poolText } from '../support/settings.js';

const BACKENDS = 60;
/** Asked for: 60 backends every 100 ms. */
const WANTED = 600;
const ALLOWED = 100;
const HEALTH = 'probe = "tcp"\ninterval = "100ms"\nfast_interval = "50ms"\nrise = 1\nfall = 4\n';
/** Rounds of all backends that are counted. */
const ROUNDS = 4;

t.test('probes stretch evenly to their limit, and a failing backend is found first', async (t) => {
  const counts = new Map<string, number>();
  const server = createServer((socket) => {
    const address = socket.localAddress ?? '';
    counts.set(address, (counts.get(address) ?? 0) + 1);
    socket.on('error', () => {}).resume();
  });
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '0.0.0.0', resolve));
  const address = (index: number): string => `127.7.0.${index + 1}`;
  const backends = Array.from({ length: BACKENDS }, (_, index) => ({
    name: `b${index}`,
    address: `${address(index)}:${port}`,
  }));
  const [mortal] = await startEchoes(t, 1);
  const last = { name: 'last', address: mortal?.address ?? '' };
  const half = BACKENDS / 2;
  const daemon = await startDaemon(t, {
    workers: 1,
    daemonLines: `probes_per_second = ${ALLOWED}`,
    toml:
      listenerText({ pool: 'even' }) +
      listenerText({ pool: 'odd' }) +
      poolText({ name: 'even', backends: backends.slice(0, half), health: HEALTH }) +
      poolText({ name: 'odd', backends: [...backends.slice(half), last], health: HEALTH }),
  });
  await daemon.backendsUp('even', half);
  await daemon.backendsUp('odd', half + 1);
  counts.clear();
  const began = nowMs();
  const total = (): number => [...counts.values()].reduce((sum, count) => sum + count, 0);
  const least = ROUNDS * BACKENDS;
  await eventually('some rounds of probes', () => (total() < least ? undefined : true));
  const seconds = (nowMs() - began) / 1000;
  t.ok(total() / seconds < 1.2 * ALLOWED, `${total()} probes in ${seconds} s`);
  const each = [...counts.values()];
  t.equal(each.length, BACKENDS);
  t.ok(Math.max(...each) - Math.min(...each) <= 2, `${Math.min(...each)} to ${Math.max(...each)}`);

  const { probes } = JSON.parse((await daemon.get('/health')).body);
  t.match(probes, { allowed_per_second: ALLOWED });
  t.ok(probes.wanted_per_second >= WANTED, `${probes.wanted_per_second}`);
  t.ok(probes.stretch >= WANTED / ALLOWED, `${probes.stretch}`);
  const { body } = await daemon.get('/health?format=text');
  t.match(body, /^probes: intervals are stretched .* daemon\.probes_per_second allows 100$/m);

  // Its first failure comes within a round; were it not first from then on, three rounds more.
  const down = daemon.nextEvent('backend-down', ({ backend }) => backend === 'last');
  const killed = nowMs();
  await mortal?.kill();
  await down;
  const tookMs = nowMs() - killed;
  const roundMs = ((BACKENDS + 1) / ALLOWED) * 1000;
  t.ok(tookMs < 2.5 * roundMs, `${tookMs} ms; a round takes ${roundMs} ms`);
});

const MANY = 500;
const MANY_HEALTH = 'probe = "tcp"\ninterval = "250ms"\nfast_interval = "100ms"\n';
/** Of what a probe costs over a socket of Node.js; it is a third. */
const MOST_OF_IT = 0.7;
const TRIES = 3;
const ROUNDS_MS = 1_500;
/** io_uring_setup(2): without it probes connect by sockets of Node.js. */
const RING_SETUP = 425;

t.test('probes cost less where io_uring works, and are the same where it does not', async (t) => {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '0.0.0.0', resolve));
  t.teardown(() => server.close());
  const backends = Array.from({ length: MANY }, (_, index) => ({
    name: `b${index}`,
    address: `127.8.${index >> 7}.${1 + (index & 127)}:${port}`,
  }));
  const service = { name: 'many', backends, health: MANY_HEALTH };
  const toml = listenerText({ pool: 'many' }) + poolText(service);
  const usual = await startDaemon(t, { workers: 1, toml });
  const refused = { engine: 'node', preload: refuseCall(RING_SETUP) } as const;
  const without = await startDaemon(t, { workers: 1, toml, ...refused });
  for (const daemon of [usual, without]) await daemon.backendsUp('many', MANY);
  t.same(without.eventsNamed('engine-degraded'), [], 'nothing is missing');

  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && least > MOST_OF_IT; tries++) {
    const [one, other] = [await ticksPerProbe(usual), await ticksPerProbe(without)];
    t.comment(`${one * 10_000} and ${other * 10_000} µs of CPU per probe`);
    least = Math.min(least, one / other);
  }
  if (detectUring(loadKernel()).ok) t.ok(least <= MOST_OF_IT, `${least} of it`);

  server.close();
  for (const daemon of [usual, without]) {
    const down = await daemon.event('backend-down');
    t.equal(down['cause'], 'refused');
    t.match(down['detail'], /tcp probes in a row failed, the last: connection refused/);
  }
});

/** CPU time of the daemon by the number of its probes, over some rounds of them. */
async function ticksPerProbe(daemon: Daemon): Promise<number> {
  const from = { probes: await probesOf(daemon), ticks: await daemon.cpuTicks() };
  await pass(ROUNDS_MS);
  const ticks = (await daemon.cpuTicks()) - from.ticks;
  return ticks / ((await probesOf(daemon)) - from.probes);
}

async function probesOf(daemon: Daemon): Promise<number> {
  return (await daemon.metrics()).sum('sluice_probe_seconds_count');
}
