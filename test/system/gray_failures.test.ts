/** Backends that accept but do not serve, or serve too slowly. */
import t, { type Test } from 'tap';
import { startDaemon } from '../support/daemon.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { shortConnections, tally } from '../support/load/short_connections.js';
import { haveServers } from '../support/require_server.js';
import { POSTGRES_PROGRAMS, startPostgres } from '../support/servers/postgres.js';
import { REDIS_PROGRAMS, redisCommand, startRedis } from '../support/servers/redis.js';
import { listenerText, poolText, serviceText } from '../support/settings.js';
import { tryDial } from '../support/wire.js';

/** They wait more than they work. */
t.jobs = 2;

const TIMING = `interval = "300ms"
fast_interval = "100ms"
down_interval = "250ms"
timeout = "400ms"
fall = 2
rise = 2
`;

t.test(
  'a stopped process whose port accepts is found by the protocol probe',
  { buffered: true },
  async (t) => {
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
  },
);

t.test(
  'without probes a stopped process is ejected when its dials fail',
  { buffered: true },
  async (t) => {
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
  },
);

/**
 * Of each answer. What a busy machine adds to one is a fraction of what the slow backend adds, so
 * that no backend is taken for it, nor it for another one.
 */
const HEALTHY_DELAY_MS = 50;
const SLOW_DELAY_MS = 10 * HEALTHY_DELAY_MS;
const RATE = 60;
const LEARN_MS = 4_000;
const MEASURE_MS = 5_000;

t.test(
  'a backend ten times slower is ejected, and gets no session then',
  { buffered: true },
  async (t) => {
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
    const port = await daemon.port('echo');
    const even = await servedDuring(t, echoes, port, LEARN_MS);
    t.ok(Math.max(...even) - Math.min(...even) <= 1, `in turn while all are well: ${even}`);
    t.same(daemon.eventsNamed('backend-ejected'), [], 'and none is ejected');

    if (slow !== undefined) slow.delayMs = SLOW_DELAY_MS;
    const ejected = daemon.event('backend-ejected');
    const settling = shortConnections({ port }, RATE, LEARN_MS);
    t.match(await ejected, { backend: slow?.address });
    t.same(tally((await settling).failures), {});
    const [toSlow, ...others] = await servedDuring(t, echoes, port, MEASURE_MS);
    t.equal(toSlow, 0, 'no session goes to it');
    t.ok(Math.max(...others) - Math.min(...others) <= 1, `the others share them: ${others}`);
    t.equal(daemon.eventsNamed('backend-ejected').length, 1, 'and no other is ejected');
  },
);

t.test('least-latency leaves a backend that is ten times slower', { buffered: true }, async (t) => {
  const echoes = await startEchoes(t, 3, { delayMs: HEALTHY_DELAY_MS });
  const daemon = await startDaemon(t, {
    // Each worker learns latencies by itself, and asks the slow one now and then.
    workers: 1,
    access: 'errors',
    toml: serviceText({ name: 'echo', policy: 'least-latency', backends: echoes }),
  });
  await daemon.backendsUp('echo', 3);
  const [slow] = echoes;
  const port = await daemon.port('echo');
  await servedDuring(t, echoes, port, LEARN_MS);
  if (slow !== undefined) slow.delayMs = SLOW_DELAY_MS;
  await servedDuring(t, echoes, port, LEARN_MS);
  const [toSlow = 0, ...others] = await servedDuring(t, echoes, port, MEASURE_MS);
  const share = toSlow / (toSlow + others.reduce((sum, one) => sum + one, 0));
  // A third is its share by number. A busy machine slows the others too: less of a difference.
  t.ok(share < 0.1, `the slow backend's share is ${(100 * share).toFixed(1)} %`);
});

/** Sessions that came to each backend while short ones were opened; none of them fails. */
async function servedDuring(
  t: Test,
  echoes: readonly EchoBackend[],
  port: number,
  forMs: number,
): Promise<readonly number[]> {
  const before = echoes.map(({ served }) => served);
  const { failures } = await shortConnections({ port }, RATE, forMs);
  t.same(tally(failures), {});
  return echoes.map(({ served }, index) => served - (before[index] ?? 0));
}
function outlier(pool: string, lines: string): string {
  return `[pools.${pool}.outlier]\n${lines}\n`;
}
