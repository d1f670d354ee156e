/** However and whenever clients leave, no other notices. */
import t, { type Test } from 'tap';
import { formatAddress } from '../../src/core/endpoint.js';
import { seededRandom } from '../../src/core/random.js';
import { startDaemon } from '../support/daemon.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { leavers } from '../support/load/leavers.js';
import { finishStreams, openStreams } from '../support/load/verified_stream.js';
import { freePort } from '../support/places.js';
import { seed } from '../support/seed.js';
import { listenerText, type PoolText, poolText } from '../support/settings.js';
import { silentEndpoint } from '../support/silent_endpoint.js';

const CLIENTS = 10_000;
const AT_ONCE = 150;
const STREAMS = 8;
const NO_PROBE = 'probe = "none"';

t.test(
  `${CLIENTS} clients leave at random moments, and no other notices (SEED=${seed})`,
  async (t) => {
    const pools = await hardPools(t);
    const [calm] = await startEchoes(t, 1);
    const backends = calm === undefined ? [] : [calm];
    const daemon = await startDaemon(t, {
      toml:
        listenerText({ pool: 'calm' }) +
        poolText({ name: 'calm', backends, health: NO_PROBE }) +
        pools.map(texts).join(''),
    });
    const names = pools.flatMap(({ name }) => [name, `${name}-proxied`]);
    const targets = await Promise.all(
      names.map(async (name) => ({
        port: await daemon.port(name),
        header: name.endsWith('-proxied') ? ('v1' as const) : ('none' as const),
      })),
    );
    const streams = await openStreams({ port: await daemon.port('calm') }, STREAMS, 10);
    await leavers(targets, CLIENTS, AT_ONCE, seededRandom(seed));

    t.same(await finishStreams(streams), [], 'the sessions of another listener are untouched');
    for (const gauge of ['sessions_active', 'backend_active', 'queue_length']) {
      await daemon.metricSettles(`sluice_${gauge}`, {}, (sum) => sum === 0);
    }
    const metrics = await daemon.metrics();
    t.equal(metrics.sum('sluice_worker_restarts_total'), 0);
    t.equal(metrics.sum('sluice_accepted_total'), metrics.sum('sluice_sessions_total'));
    for (const event of ['worker-lost', 'internal-error']) t.same(daemon.eventsNamed(event), []);
    t.same(await daemon.stop(), { code: 0, signal: null });
  },
);

/** Backends at their cap, behind a queue, without a verdict, dead and slow. */
async function hardPools(t: Test): Promise<readonly PoolText[]> {
  const quick = await startEchoes(t, 2);
  const slow = await startEchoes(t, 1, { delayMs: 40 });
  const mute = await silentEndpoint();
  t.teardown(() => mute.close());
  const dead = { address: `127.0.0.1:${await freePort()}` };
  const unproven = { address: formatAddress(mute.endpoint) };
  return [
    { name: 'capped', backends: quick, health: NO_PROBE, lines: 'max_connections = 2' },
    {
      name: 'queued',
      backends: slow,
      health: NO_PROBE,
      lines: 'max_connections = 3\nqueue_size = 20\nqueue_timeout = "300ms"',
    },
    { name: 'unproven', backends: [unproven], lines: 'connect_timeout = "200ms"' },
    { name: 'dead', backends: [dead], health: NO_PROBE },
    { name: 'half-dead', backends: [dead, ...quick], health: NO_PROBE },
    { name: 'silent', backends: [unproven], health: NO_PROBE, lines: 'connect_timeout = "100ms"' },
    {
      name: 'slow',
      backends: slow,
      health: NO_PROBE,
      lines: 'send_proxy_protocol = "v2"',
    },
  ];
}

function texts(pool: PoolText): string {
  const lines = 'accept_proxy_protocol = true\ntrusted_proxies = ["127.0.0.0/8"]';
  return (
    poolText(pool) +
    listenerText({ pool: pool.name }) +
    listenerText({ pool: pool.name, name: `${pool.name}-proxied`, lines })
  );
}
