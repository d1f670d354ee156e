/** Backends that accept but do not serve, or serve too slowly. */
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { quantile, shortConnections, tally } from '../support/load/short_connections.js';
import { haveServers } from '../support/require_server.js';
import { POSTGRES_PROGRAMS, startPostgres } from '../support/servers/postgres.js';
import { REDIS_PROGRAMS, redisCommand, startRedis } from '../support/servers/redis.js';
import { listenerText, poolText, serviceText } from '../support/settings.js';
import { tryDial } from '../support/wire.js';

const TIMING = `interval = "300ms"
fast_interval = "100ms"
down_interval = "250ms"
timeout = "400ms"
fall = 2
rise = 2
`;

t.test('a stopped process whose port accepts is found by the protocol probe', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS, ...POSTGRES_PROGRAMS)) return;
  const redis = await startRedis(t, 2);
  const postgres = await startPostgres(t, 2);
  const daemon = await startDaemon(t, {
    toml:
      listenerText({ pool: 'redis' }) +
      listenerText({ pool: 'pg' }) +
      poolText({ name: 'redis', backends: redis, health: `probe = "redis"\n${TIMING}` }) +
      poolText({ name: 'pg', backends: postgres, health: `probe = "postgres"\n${TIMING}` }),
  });
  for (const [pool, servers] of [
    ['redis', redis],
    ['pg', postgres],
  ] as const) {
    await daemon.backendsUp(pool, 2);
    const [victim] = servers;
    if (victim === undefined) throw new Error('no server');
    const { address } = victim;
    victim.freeze('SIGSTOP');
    const down = await daemon.event('backend-down', ({ backend }) => backend === address);
    t.equal(down['cause'], 'timeout', `${pool}: down for the right reason`);
    victim.freeze('SIGCONT');
    await daemon.backendsUp(pool, 2);
  }
  t.equal(await redisCommand(await daemon.port('redis'), 'ping'), 'PONG');
});

t.test('without probes a stopped process is ejected when its dials fail', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  // The kernel completes connects for a stopped process until its backlog is full.
  const servers = await startRedis(t, 3, '--tcp-backlog', '4');
  const [victim] = servers;
  if (victim === undefined) throw new Error('no server');
  const daemon = await startDaemon(t, {
    toml: serviceText({
      name: 'redis',
      policy: 'round-robin',
      backends: servers,
      health: 'probe = "none"',
      lines: 'connect_timeout = "200ms"',
      sections: outlier('redis', 'consecutive_failures = 5\nbase_ejection = "60s"'),
    }),
  });
  const port = await daemon.port('redis');
  victim.freeze('SIGSTOP');
  t.teardown(() => victim.freeze('SIGCONT'));
  const stuck = await Promise.all(Array.from({ length: 60 }, () => tryDial({ port })));
  t.teardown(() => {
    for (const wire of stuck) if (typeof wire !== 'string') wire.socket.destroy();
  });
  const ejected = await daemon.event('backend-ejected');
  t.match(ejected, { backend: victim.address });
  for (let i = 0; i < 20; i++) t.equal(await redisCommand(port, 'ping'), 'PONG');
});

// Long enough that a hiccup of a busy machine does not look like the slow backend.
const HEALTHY_DELAY_MS = 10;
const RATE = 60;

t.test('a backend ten times slower is ejected, and p99 is as before', async (t) => {
  const echoes = await startEchoes(t, 3, { delayMs: HEALTHY_DELAY_MS });
  const daemon = await startDaemon(t, {
    access: 'errors',
    toml: serviceText({
      name: 'echo',
      policy: 'round-robin',
      backends: echoes,
      sections: outlier('echo', 'latency_factor = 3\ninterval = "1s"\nbase_ejection = "60s"'),
    }),
  });
  await daemon.backendsUp('echo', 3);
  const [slow] = echoes;
  const { port, healthyMs } = await healthyPool(t, daemon, slow);
  const ejected = daemon.event('backend-ejected');
  const settling = shortConnections({ port }, RATE, 4_000);
  t.match(await ejected, { backend: slow?.address });
  await settling;
  await showsHealthyLatency(t, port, healthyMs);
});

t.test('least-latency leaves a backend that is ten times slower, p99 is as before', async (t) => {
  const echoes = await startEchoes(t, 3, { delayMs: HEALTHY_DELAY_MS });
  const daemon = await startDaemon(t, {
    // Each worker learns latencies by itself, and asks the slow one now and then.
    workers: 1,
    access: 'errors',
    toml: serviceText({ name: 'echo', policy: 'least-latency', backends: echoes }),
  });
  await daemon.backendsUp('echo', 3);
  const [slow] = echoes;
  const { port, healthyMs } = await healthyPool(t, daemon, slow);
  await shortConnections({ port }, RATE, 2_000);
  const before = slow?.served ?? 0;
  await showsHealthyLatency(t, port, healthyMs);
  const share = ((slow?.served ?? 0) - before) / (RATE * MEASURE_SECONDS);
  t.ok(share < 0.05, `the slow backend's share is ${(100 * share).toFixed(1)} %`);
});

const MEASURE_SECONDS = 5;

/** Measures the pool while all is well, then makes one backend ten times slower. */
async function healthyPool(
  t: Test,
  daemon: Daemon,
  slow: EchoBackend | undefined,
): Promise<{ readonly port: number; readonly healthyMs: number }> {
  const port = await daemon.port('echo');
  const { failures, answeredMs } = await shortConnections({ port }, RATE, MEASURE_SECONDS * 1_000);
  t.same(tally(failures), {});
  if (slow !== undefined) slow.delayMs = 10 * HEALTHY_DELAY_MS;
  return { port, healthyMs: quantile(answeredMs, 0.99) };
}

async function showsHealthyLatency(t: Test, port: number, healthyMs: number): Promise<void> {
  const { failures, answeredMs } = await shortConnections({ port }, RATE, MEASURE_SECONDS * 1_000);
  t.same(tally(failures), {});
  const p99 = quantile(answeredMs, 0.99);
  t.ok(p99 <= 2 * healthyMs, `p99 is ${p99.toFixed(1)} ms, it was ${healthyMs.toFixed(1)} ms`);
}

function outlier(pool: string, lines: string): string {
  return `[pools.${pool}.outlier]\n${lines}\n`;
}
