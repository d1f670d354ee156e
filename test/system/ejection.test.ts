/** Ejection by failures of real traffic: how many dials a dead backend gets, and for how long. */
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually, pass } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { freePort } from '../support/places.js';
import { QUICK_HEALTH, serviceText } from '../support/settings.js';

const DEAD = { backend: 'dead' };

for (const failures of [1, 5]) {
  t.test(`a dead backend gets ${failures} dials, over both workers, and no more`, async (t) => {
    const daemon = await start(t, `consecutive_failures = ${failures}`);
    const port = await daemon.port('echo');
    for (let i = 0; i < 40; i++) t.equal(await exchangeOnce({ port }), null, 'no client notices');
    await daemon.event('backend-ejected', ({ in_a_row }) => in_a_row === 1);
    t.equal(await dials(daemon), failures);
  });
}

t.test('a burst on a dead backend costs the dials that were in flight', async (t) => {
  const daemon = await start(t, 'consecutive_failures = 1');
  const port = await daemon.port('echo');
  const clients = 200;
  const answers = await Promise.all(Array.from({ length: clients }, () => exchangeOnce({ port })));
  t.ok(answers.every((answer) => answer === null));
  const burst = await dials(daemon);
  t.ok(burst < clients / 4, `${burst} dials of ${clients} clients`);
  for (let i = 0; i < 20; i++) await exchangeOnce({ port });
  t.equal(await dials(daemon), burst, 'it is not dialled afterwards');
});

t.test('an ejection that ended begins again with no failures counted', async (t) => {
  const daemon = await start(t, 'consecutive_failures = 3\nbase_ejection = "1s"');
  const port = await daemon.port('echo');
  const ejected = daemon.event('backend-ejected');
  for (let i = 0; i < 12; i++) await exchangeOnce({ port });
  t.match(await ejected, { in_a_row: 1, duration_ms: 1_000 });
  await daemon.event('backend-returned');
  // Two failures are within `interval`, and yet a third one is needed.
  await failUntil(daemon, port, 5);
  // Two looks of control.
  await pass(600);
  t.equal((await daemon.metrics()).sum('sluice_ejections_total', DEAD), 1);
  const again = daemon.nextEvent('backend-ejected');
  await failUntil(daemon, port, 6);
  t.match(await again, { in_a_row: 2, duration_ms: 2_000 });
  t.equal(await dials(daemon), 6);
  t.equal((await daemon.metrics()).sum('sluice_ejections_total', DEAD), 2);
});

t.test('a dry run reports and counts what it would eject, and ejects nothing', async (t) => {
  const daemon = await start(t, 'consecutive_failures = 1\ndry_run = true');
  const port = await daemon.port('echo');
  await failUntil(daemon, port, 3);
  t.match(await daemon.event('backend-would-be-ejected'), { cause: 'failures' });
  const why = { ...DEAD, reason: 'failures' };
  await daemon.metricSettles('sluice_ejections_dry_run_total', why, (sum) => sum === 1);
  t.equal((await daemon.metrics()).sum('sluice_ejections_total', {}), 0);
  t.same(daemon.eventsNamed('backend-ejected'), []);
});

t.test('failures that are further apart than `interval` are no failures in a row', async (t) => {
  const daemon = await start(t, 'consecutive_failures = 2\ninterval = "500ms"');
  const port = await daemon.port('echo');
  for (let failures = 1; failures <= 3; failures++) {
    await failUntil(daemon, port, failures);
    await pass(700);
  }
  t.equal(daemon.eventsNamed('backend-ejected').length, 0);
  const ejected = daemon.event('backend-ejected');
  await failUntil(daemon, port, 5);
  await ejected;
  t.equal(await dials(daemon), 5);
});

t.test('the last one that could serve stays, over both workers', async (t) => {
  const dead = [await freePort(), await freePort()];
  const daemon = await startDaemon(t, {
    workers: 2,
    access: 'off',
    toml: serviceText({
      name: 'echo',
      policy: 'round-robin',
      backends: dead.map((port) => ({ address: `127.0.0.1:${port}` })),
      health: 'probe = "none"',
      sections: '[pools.echo.outlier]\nconsecutive_failures = 1\nmax_ejected_percent = 100\n',
    }),
  });
  const port = await daemon.port('echo');
  await Promise.all(Array.from({ length: 50 }, () => exchangeOnce({ port })));
  await daemon.event('ejection-spared', ({ cause }) => cause === 'last-one');
  t.equal(daemon.eventsNamed('backend-ejected').length, 1);
});

t.test('no more than max_ejected_percent are out at a time, over both workers', async (t) => {
  const [echo] = await startEchoes(t, 1);
  const dead = await Promise.all(Array.from({ length: 9 }, () => freePort()));
  const daemon = await startDaemon(t, {
    workers: 2,
    access: 'off',
    toml: serviceText({
      name: 'echo',
      policy: 'round-robin',
      backends: [
        { address: echo?.address ?? '' },
        ...dead.map((port) => ({ address: `127.0.0.1:${port}` })),
      ],
      lines: 'retries = 9',
      health: 'probe = "none"',
      sections: '[pools.echo.outlier]\nconsecutive_failures = 1\nmax_ejected_percent = 30\n',
    }),
  });
  const clients = { port: await daemon.port('echo') };
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: 50 }, () => exchangeOnce(clients)));
  }
  await daemon.event('ejection-spared');
  t.equal(daemon.eventsNamed('backend-ejected').length, 3, '30 % of ten');
  t.equal((await daemon.metrics()).sum('sluice_ejections_total', {}), 3);
});

t.test('a backend that accepts and resets stays out in spite of good probes', async (t) => {
  const [echo] = await startEchoes(t, 1);
  let [resets, probes] = [0, 0];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('end', () => probes++);
    socket.once('data', () => {
      resets++;
      socket.resetAndDestroy();
    });
  });
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const daemon = await startWith(t, `127.0.0.1:${port}`, echo?.address);
  await daemon.backendsUp('echo', 2);
  const clients = { port: await daemon.port('echo') };
  const ejected = daemon.event('backend-ejected');
  await eventually('three resets', async () => {
    await exchangeOnce(clients);
    return resets < 3 ? undefined : true;
  });
  t.match(await ejected, { backend: 'first', in_a_row: 1 });
  const before = probes;
  await eventually('good probes', () => (probes < before + 4 ? undefined : true));
  for (let i = 0; i < 20; i++) t.equal(await exchangeOnce(clients), null);
  t.equal(resets, 3, 'it has got no session more');
  t.same(daemon.eventsNamed('backend-returned'), []);
});

t.test('whose probes find it down, and then up, is ejected no longer', async (t) => {
  const backends = await startEchoes(t, 2);
  const [first, second] = backends;
  const daemon = await startWith(t, first?.address ?? '', second?.address);
  await daemon.backendsUp('echo', 2);
  const clients = { port: await daemon.port('echo') };
  await first?.kill();
  const down = daemon.nextEvent('backend-down');
  const ejected = daemon.event('backend-ejected');
  await eventually('three failed dials', async () => {
    t.equal(await exchangeOnce(clients), null);
    return daemon.eventsNamed('backend-ejected').length === 0 ? undefined : true;
  });
  t.match(await ejected, { backend: 'first', duration_ms: 30_000 });
  await down;
  const [up, back] = [daemon.nextEvent('backend-up'), daemon.nextEvent('backend-returned')];
  await first?.start();
  await Promise.all([up, back]);
  const served = first?.served ?? 0;
  await eventually('a session of it', async () => {
    t.equal(await exchangeOnce(clients), null);
    return (first?.served ?? 0) === served ? undefined : true;
  });
});

/** One worker, two backends in turns; the first one is ejected after three failures. */
function startWith(t: Test, first: string, second: string | undefined): Promise<Daemon> {
  return startDaemon(t, {
    workers: 1,
    toml: serviceText({
      name: 'echo',
      policy: 'round-robin',
      backends: [
        { address: first, name: 'first' },
        { address: second ?? '', name: 'second' },
      ],
      health: QUICK_HEALTH,
      sections: '[pools.echo.outlier]\nconsecutive_failures = 3\n',
    }),
  });
}

/** Two workers, an echo server and a port that refuses, in turns. */
async function start(t: Test, outlier: string): Promise<Daemon> {
  const [echo] = await startEchoes(t, 1);
  return startDaemon(t, {
    workers: 2,
    access: 'off',
    toml: serviceText({
      name: 'echo',
      policy: 'round-robin',
      backends: [
        { address: `127.0.0.1:${await freePort()}`, name: 'dead' },
        { address: echo?.address ?? '', name: 'alive' },
      ],
      health: 'probe = "none"',
      sections: `[pools.echo.outlier]\n${outlier}\n`,
    }),
  });
}

async function dials(daemon: Daemon): Promise<number> {
  return (await daemon.metrics()).sum('sluice_dial_failures_total', DEAD);
}

/** Connects, one after the other, until the dead backend has had this many dials in all. */
async function failUntil(daemon: Daemon, port: number, failures: number): Promise<void> {
  await eventually(`${failures} dials of the dead backend`, async () => {
    if ((await dials(daemon)) >= failures) return true;
    await exchangeOnce({ port });
    return undefined;
  });
}
