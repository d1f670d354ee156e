/** Running out of descriptors is survived, and nothing is left open afterwards. */
import t from 'tap';
import { startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { burst, exchangeOnce, shortConnections, tally } from '../support/load/short_connections.js';
import { mustRun } from '../support/process.js';
import { serviceText } from '../support/settings.js';
import { tryDial, type Wire } from '../support/wire.js';

const OPEN_FILES = 160;

t.test('after EMFILE the listener accepts again without a restart', async (t) => {
  const echoes = await startEchoes(t, 2);
  const daemon = await startDaemon(t, {
    access: 'errors',
    toml: serviceText({ name: 'echo', backends: echoes }),
  });
  await daemon.backendsUp('echo', 2);
  const port = await daemon.port('echo');
  const atRest = await daemon.descriptors();
  // What was divided at the start is there no more: another process took it, or an operator did.
  await mustRun('prlimit', [`--pid=${daemon.pid}`, `--nofile=${OPEN_FILES}:`]);
  const crowd: Wire[] = [];
  for (let i = 0; i < 2 * OPEN_FILES; i++) {
    const wire = await tryDial({ port });
    if (typeof wire !== 'string') crowd.push(wire);
  }
  await Promise.all(crowd.map((wire) => wire.send('x').catch(() => {})));
  await daemon.event('accept-failed', ({ errno }) => errno === 'EMFILE');
  t.ok(daemon.running);
  for (const wire of crowd) wire.socket.destroy();
  // Clients that waited in the backlog and are gone by now still have to be taken from it.
  await eventually('a client is served again', async () =>
    (await exchangeOnce({ port })) === null ? true : undefined,
  );
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
  const report = await burst({ port }, 20, 20_000);
  t.same(tally(report.failures), {}, 'all are served again');
  await settlesAt(atRest, () => daemon.descriptors());
});

t.test('by default a listener takes no more sessions than there are descriptors', async (t) => {
  const echoes = await startEchoes(t, 2);
  const daemon = await startDaemon(t, {
    openFiles: 512,
    access: 'errors',
    toml: serviceText({ name: 'echo', backends: echoes }),
  });
  await daemon.backendsUp('echo', 2);
  const port = await daemon.port('echo');
  const report = await burst({ port }, 600, 30_000);
  t.same(tally(report.failures), {}, 'a client that does not fit waits in the backlog');
  t.same(daemon.eventsNamed('accept-failed'), []);
});

t.test('10,000 short connections leave no descriptor and no session behind', async (t) => {
  const echoes = await startEchoes(t, 2);
  const daemon = await startDaemon(t, {
    workers: 2,
    access: 'errors',
    toml: serviceText({ name: 'echo', backends: echoes }),
  });
  await daemon.backendsUp('echo', 2);
  const port = await daemon.port('echo');
  t.equal(await exchangeOnce({ port }), null);
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
  const atRest = await daemon.descriptors();
  const report = await shortConnections({ port }, 800, 12_500);
  t.same(tally(report.failures), {});
  t.equal(report.done, 10_000);
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
  await settlesAt(atRest, () => daemon.descriptors());
});

t.test('when every backend is dead, clients are reset and nothing is left open', async (t) => {
  const echoes = await startEchoes(t, 2);
  const daemon = await startDaemon(t, {
    access: 'errors',
    toml: serviceText({ name: 'echo', backends: echoes }),
  });
  await daemon.backendsUp('echo', 2);
  const port = await daemon.port('echo');
  const atRest = await daemon.descriptors();
  for (const echo of echoes) await echo.kill();
  const report = await burst({ port }, 100, 10_000);
  t.equal(report.failures.length, 100);
  await daemon.backendsUp('echo', 0);
  t.match((await exchangeOnce({ port }))?.reason, /ECONNRESET|EPIPE/);
  const metrics = await daemon.metrics();
  t.equal(metrics.sum('sluice_refused_total'), 101);
  await settlesAt(atRest, () => daemon.descriptors());
  for (const echo of echoes) await echo.start();
  await daemon.backendsUp('echo', 2);
  t.equal(await exchangeOnce({ port }), null);
});

/** Probes and scrapes open a few descriptors now and then: waits for a quiet moment. */
async function settlesAt(expected: number, read: () => Promise<number>): Promise<void> {
  await eventually(`${expected} descriptors`, async () => {
    const now = await read();
    if (now <= expected + 4) return now;
    throw new Error(`there are ${now}`);
  });
}
