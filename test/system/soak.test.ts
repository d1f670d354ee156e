/**
 * A soak: everything at once for a while, and at its end nothing is left. SOAK_SECONDS says for how
 * long; it is run by hand for ten minutes before a release, on either engine:
 * `SOAK_SECONDS=600 SLUICE_TEST_ENGINE=uring node dist/test/system/soak.test.js`.
 */
import t from 'tap';
import { ENGINE, startDaemon } from '../support/daemon.js';
import { eventually, pass } from '../support/deadline.js';
import { startUdpEchoes } from '../support/load/datagrams.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { EndingsBackend } from '../support/load/endings.js';
import { MIB } from '../support/load/payload.js';
import { reloadStorm } from '../support/load/reload_storm.js';
import { type Failure, shortConnections } from '../support/load/short_connections.js';
import { type Death, SoakWork } from '../support/load/soak_work.js';
import { type BackendText, listenerText, poolText, serviceText } from '../support/settings.js';

const SECONDS = Number(process.env['SOAK_SECONDS'] ?? (ENGINE === 'uring' ? 30 : 20));
const DURATION_MS = SECONDS * 1000;
/**
 * Afterwards memory stays where it is, but for what collectors are in no hurry to collect: new
 * objects of a worker may take 12 MB, and old ones wait until their space has grown by a part. The
 * main thread's space of new objects, which would take 33 MB in the end, is kept small.
 */
const WARM_MS = Math.min(10_000, DURATION_MS / 2);
const GROWTH_BYTES = 32 * MIB;
const NODE_FLAGS = ['--max-semi-space-size=1'];
const SHORT_PER_SECOND = 30;
const RELOAD_EVERY_MS = 1_000;
const WORKERS = 2;
/** Each worker of the uring engine keeps up to 16 pipes for the next bulk transfer. */
const KEPT_DESCRIPTORS = WORKERS * 16 * 2;

t.setTimeout(DURATION_MS + 150_000);

t.test(`after ${SECONDS} s of everything at once nothing is wrong and nothing left`, async (t) => {
  const steady = await startEchoes(t, 3);
  const mortal = await startEchoes(t, 3, { delayMs: 50 });
  const endings = await EndingsBackend.start(t);
  const udp = await startUdpEchoes(t, 2);
  const services = (backends: readonly EchoBackend[]): string =>
    serviceText({ name: 'steady', backends, health: 'probe = "none"' }) +
    serviceText({ name: 'mortal', backends: mortal }) +
    serviceText({ name: 'endings', backends: [endings], health: 'probe = "none"' }) +
    udpText(udp);
  const [two, three] = [services(steady.slice(0, 2)), services(steady)];
  const daemon = await startDaemon(t, {
    toml: two,
    workers: WORKERS,
    access: 'errors',
    nodeFlags: NODE_FLAGS,
  });
  await daemon.backendsUp('mortal', mortal.length);
  const target = async (name: string) => ({ port: await daemon.port(name) });
  const [toSteady, toMortal] = [await target('steady'), await target('mortal')];
  const descriptors = await daemon.descriptors();

  const work = new SoakWork(DURATION_MS);
  const reloads = reloadStorm(
    daemon,
    [three, two.replace('policy', 'polizy'), two],
    DURATION_MS / RELOAD_EVERY_MS,
    DURATION_MS,
  );
  const shorts = [toSteady, toMortal].map((to) =>
    shortConnections(to, SHORT_PER_SECOND, DURATION_MS),
  );
  const others = [
    ...Array.from({ length: 8 }, () => work.streams(toSteady)),
    ...Array.from({ length: 2 }, () => work.bulk(toSteady)),
    ...Array.from({ length: 2 }, async () => work.endings(await target('endings'))),
    ...Array.from({ length: 4 }, async () => work.flows(await target('udp'))),
    work.deathsOf(mortal),
  ];
  await pass(WARM_MS);
  const warmBytes = daemon.rssBytes();
  const [steadyShorts, mortalShorts] = await Promise.all(shorts);
  await Promise.all(others);

  t.same(await reloads, outcomes((await reloads).length));
  t.same(work.wrong, []);
  t.same(endings.wrong, []);
  t.same(steadyShorts?.failures, []);
  const failed = mortalShorts?.failures ?? [];
  t.same(
    failed.filter((failure) => !wasCaught(failure, work.deaths)),
    [],
  );
  t.comment(work.done, `${failed.length} sessions died with their backend`);
  for (const kind of ['stream', 'bulk', 'ending', 'flow', 'death']) t.ok(work.done[kind], kind);

  for (const metric of ['sessions_active', 'backend_active', 'queue_length']) {
    t.equal(await daemon.metricSettles(`sluice_${metric}`, {}, (sum) => sum === 0), 0, metric);
  }
  t.equal((await daemon.metrics()).sum('sluice_worker_restarts_total'), 0);
  await eventually('descriptors are back at the base line', async () => {
    const left = (await daemon.descriptors()) - descriptors;
    if (left <= KEPT_DESCRIPTORS) return true;
    throw new Error(`${left} more than before`);
  });
  const grown = daemon.rssBytes() - warmBytes;
  t.ok(grown < GROWTH_BYTES, `memory has grown by ${grown} bytes since ${warmBytes}`);
});

/** Was the session under way when a backend died? */
function wasCaught({ startedMs, endedMs }: Failure, deaths: readonly Death[]): boolean {
  return deaths.some(({ fromMs, toMs }) => startedMs <= toMs && fromMs <= endedMs);
}

/** Every second of three files is invalid. */
function outcomes(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => (i % 3 === 1 ? 'reload-failed' : 'reloaded'));
}

function udpText(backends: readonly BackendText[]): string {
  const lines = 'idle_timeout = "2s"';
  return (
    listenerText({ pool: 'udp', protocol: 'udp', lines }) +
    poolText({ name: 'udp', backends, health: 'probe = "none"' })
  );
}
