/** A defect that shows for one client ends that client's session, and nothing else. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { type Daemon, ENGINE, startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import {
  PLACE_VARIABLE,
  PLACES,
  type Place,
  START_VARIABLE,
  VICTIM,
  VICTIM_BYTES,
} from '../support/defects.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { tempFolder } from '../support/places.js';
import { UdpPeer } from '../support/udp_peer.js';
import { dial, tryDial, type Wire } from '../support/wire.js';

const EVERY_THREAD = new URL('../support/defects.js', import.meta.url);
const HEADER = 'PROXY TCP4 203.0.113.7 203.0.113.1 1234 5432\r\n';
const TRUSTS = 'accept_proxy_protocol = true\ntrusted_proxies = ["127.0.0.0/8"]';
const VICTIMS = 10;
/** Connections of the test's own requests for metrics. */
const OBSERVERS = 4;
const INTERNAL_ERRORS = 'sluice_internal_errors_total';

interface Scene {
  readonly daemon: Daemon;
  /** A session that was led through by the header and has its answer. */
  readonly serve: (t: Test) => Promise<Wire>;
  /** A client whose session breaks; how its connection ended. */
  readonly victim: () => Promise<string>;
}

async function scene(
  t: Test,
  place: Place,
  expects: DaemonDefect,
  env: NodeJS.ProcessEnv = {},
): Promise<Scene> {
  // The access line has the header's addresses where there is one.
  const header = place === 'local' ? '' : HEADER;
  const [echo] = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    workers: 1,
    access: 'all',
    everyThread: EVERY_THREAD,
    env: { ...env, [PLACE_VARIABLE]: place },
    expects: START_VARIABLE in env ? [expects, 'worker-start-failed'] : [expects],
    toml: `
[listeners.front]
bind = "0.0.0.0:0"
pool = "servers"
${header === '' ? '' : TRUSTS}

[pools.servers]
backends = [{ address = "${echo?.address}" }]
[pools.servers.health]
probe = "none"
`,
  });
  const port = await daemon.port('front');
  const serve = async (t: Test): Promise<Wire> => {
    const wire = await dial(t, { port });
    wire.socket.write(`${header}hello`);
    t.equal(await wire.readText(5), 'hello');
    return wire;
  };
  const victim = async (): Promise<string> => {
    const wire = await tryDial({ port, localAddress: VICTIM });
    // It may have been reset before it knew that it was connected.
    if (typeof wire === 'string') return wire;
    wire.socket.write(header.padEnd(VICTIM_BYTES, '.'));
    if (place === 'local') wire.socket.end();
    return wire.ended;
  };
  return { daemon, serve, victim };
}

type DaemonDefect = 'internal-error' | 'worker-lost';

t.test(`a defect on ${ENGINE}`, async (t) => {
  for (const place of PLACES) {
    t.test(`in ${place} ends one session of a worker, and the others go on`, async (t) => {
      const { daemon, serve, victim } = await scene(t, place, 'internal-error');
      const before = await serve(t);
      await daemon.metrics();
      const descriptors = await daemon.descriptors();
      const ends = await Promise.all(Array.from({ length: VICTIMS }, victim));
      if (place !== 'local') t.same(new Set(ends), new Set(['ECONNRESET']));
      const told = await daemon.event('internal-error');
      t.match(told, { worker: 0, listener: place === 'local' ? null : 'front' });
      t.match(told['detail'], /a defect for tests/);
      before.socket.write('again');
      t.equal(await before.readText(5), 'again', 'a session that was there goes on');
      const after = await serve(t);
      await daemon.metricSettles(INTERNAL_ERRORS, {}, (sum) => sum === VICTIMS);
      after.socket.end();
      await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 1);
      await eventually('its descriptors are closed', async () => {
        const now = await daemon.descriptors();
        if (now > descriptors + OBSERVERS) throw new Error(`${now} instead of ${descriptors}`);
        return now;
      });
      t.same(daemon.eventsNamed('worker-lost'), []);
    });
  }

  t.test('in openFlow ends one UDP flow of a worker, and the others go on', async (t) => {
    const echo = await UdpPeer.open();
    t.teardown(() => echo.close());
    const daemon = await startDaemon(t, {
      workers: 1,
      everyThread: EVERY_THREAD,
      env: { [PLACE_VARIABLE]: 'openFlow' },
      expects: ['internal-error'],
      toml: `
[listeners.front]
protocol = "udp"
bind = "0.0.0.0:0"
pool = "servers"

[pools.servers]
backends = [{ address = "127.0.0.1:${echo.endpoint.port}" }]
[pools.servers.health]
probe = "none"
`,
    });
    const front = ipEndpoint(4, '127.0.0.1', await daemon.port('front'));
    const [good, bad] = [await UdpPeer.open(), await UdpPeer.open(VICTIM)];
    t.teardown(() => Promise.all([good.close(), bad.close()]));
    for (let round = 0; round < 3; round++) {
      bad.send(front, 'from the victim');
      good.send(front, `round ${round}`);
      t.equal((await echo.next()).bytes.toString(), `round ${round}`);
    }
    t.match(await daemon.event('internal-error'), { worker: 0, listener: 'front' });
    await daemon.metricSettles(INTERNAL_ERRORS, {}, (sum) => sum === 3);
    const dropped = { reason: 'internal-error' };
    await daemon.metricSettles('sluice_datagrams_dropped_total', dropped, (sum) => sum === 3);
    t.equal((await daemon.metrics()).sum('sluice_sessions_active', {}), 1);
    t.same(daemon.eventsNamed('worker-lost'), []);
  });

  t.test('in what sessions share ends the worker, which is replaced', async (t) => {
    const { daemon, serve, victim } = await scene(t, 'shared', 'worker-lost');
    const before = await serve(t);
    await victim();
    t.match(await daemon.event('worker-lost'), { worker: 0, detail: /what sessions share/ });
    await before.ended;
    await serve(t);
    t.same(daemon.eventsNamed('internal-error'), []);
  });

  t.test('a worker that cannot be replaced is reported and missing until it can', async (t) => {
    const obstacle = join(tempFolder(t), 'obstacle');
    const env = { [START_VARIABLE]: obstacle };
    const { daemon, serve, victim } = await scene(t, 'shared', 'worker-lost', env);
    writeFileSync(obstacle, 'the first reason');
    await victim();
    const told = (detail: string) =>
      daemon.event('worker-start-failed', (record) => record['detail'] === detail);
    t.match(await told('the first reason'), { level: 'error', worker: 0, failures: 1 });
    const ready = await daemon.get('/ready');
    t.match(ready, { status: 503, body: /no worker thread runs/ });
    writeFileSync(obstacle, 'another reason');
    t.ok(Number((await told('another reason'))['failures']) > 1, 'a new reason is reported');
    await eventually('/healthz fails', async () =>
      (await daemon.get('/healthz')).status === 503 ? true : undefined,
    );
    t.match((await daemon.get('/healthz')).body, /worker 0 is missing: another reason/);
    await daemon.metricSettles('sluice_worker_heartbeat_seconds', {}, (age) => age >= 5);
    t.equal(daemon.eventsNamed('worker-start-failed').length, 2, 'what is known is not repeated');
    const waits = serve(t);
    rmSync(obstacle);
    await daemon.event('worker-started');
    await waits;
    for (const page of ['/healthz', '/ready']) t.equal((await daemon.get(page)).status, 200, page);
    await daemon.metricSettles('sluice_worker_restarts_total', {}, (restarts) => restarts === 1);
  });
});
