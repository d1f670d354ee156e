/** A worker that dies, or does not answer, loses its own sessions and nothing else. */
import t, { type Test } from 'tap';
import { QUIET_MS } from '../../src/control/attendance.js';
import { SILENCE_MS } from '../../src/control/worker_fleet.js';
import { checkEngines } from '../../src/engine/checks.js';
import { selectEngine } from '../../src/engine/select.js';
import { eventually, within } from '../support/deadline.js';
import { burst } from '../support/load/short_connections.js';
import { dial, type Wire } from '../support/wire.js';
import { firstWorker, hang, kill, type LossBench, lossBench } from './worker_loss_bench.js';

/** Enough for either worker to have some: all at one has the probability 2^-31. */
const CLIENTS = 32;
/** More than one worker's share, to be found waiting while they are not accepted. */
const NEWCOMERS = 32;
const REPLACEMENT_MS = 30_000;
const HUNG = { worker: '0' };

for (const engine of ['node', 'uring'] as const) {
  const available = selectEngine(engine, checkEngines());
  const skip = available.ok ? false : available.error;

  t.test(`${engine}: a worker that dies is replaced`, { skip }, async (t) => {
    const bench = await lossBench(t, engine);
    const clients = await connected(t, bench.port);
    const lost = bench.events.next('worker-lost', ({ event }) => event === 'worker-lost');
    kill(bench.daemon, firstWorker(bench.daemon));
    t.match(await lost, { worker: 0, detail: /unreachable case/ });
    await survives(t, bench, clients, Number((await lost)['sessions']));
  });

  t.test(`${engine}: a worker that does not answer is replaced`, { skip }, async (t) => {
    const bench = await lossBench(t, engine);
    const clients = await connected(t, bench.port);
    t.equal(await bench.liveness(), 200);
    const silent = bench.events.next('worker-silent', ({ event }) => event === 'worker-silent');
    const lost = bench.events.next('worker-lost', ({ event }) => event === 'worker-lost');
    await hang(t, firstWorker(bench.daemon));
    await eventually('it has been quiet for a while', async () => {
      const quietSeconds = (await bench.metrics()).sum('sluice_worker_heartbeat_seconds', HUNG);
      return quietSeconds * 1000 > QUIET_MS / 2 || undefined;
    });
    const newcomers = await burst({ port: bench.port }, NEWCOMERS, SILENCE_MS - QUIET_MS);
    t.same(newcomers.failures, [], 'newcomers are served before it is given up');
    t.match(await silent, { worker: 0 });
    t.equal(await bench.liveness(), 503, 'the watchdog sees it');
    t.match(await lost, { worker: 0, detail: /did not answer/ });
    await survives(t, bench, clients, Number((await lost)['sessions']));
    t.equal(await bench.liveness(), 200);
  });
}

async function connected(t: Test, port: number): Promise<readonly Wire[]> {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => dial(t, { port })));
  t.same(await Promise.all(clients.map(echoes)), Array(CLIENTS).fill(true));
  return clients;
}

/** `lostSessions` of the clients are cut, the others and newcomers are served. */
async function survives(
  t: Test,
  bench: LossBench,
  clients: readonly Wire[],
  lostSessions: number,
): Promise<void> {
  const newcomers = burst({ port: bench.port }, NEWCOMERS, REPLACEMENT_MS);
  t.ok(lostSessions > 0 && lostSessions < CLIENTS, `${lostSessions} sessions are lost`);
  const cut = new Set<Wire>();
  for (const client of clients) void client.ended.then(() => cut.add(client));
  const alive = await Promise.all(clients.map(echoes));
  t.equal(alive.filter((lives) => !lives).length, lostSessions, 'the other sessions go on');
  await eventually('the lost are cut', () => cut.size === lostSessions || undefined);

  await bench.events.first('worker-started', ({ event }) => event === 'worker-started');
  t.same((await newcomers).failures, [], 'clients that came meanwhile are served');
  t.same((await burst({ port: bench.port }, NEWCOMERS, REPLACEMENT_MS)).failures, []);
  await eventually('counts go back', async () => {
    const metrics = await bench.metrics();
    const counts = [
      bench.daemon.sessions(),
      metrics.sum('sluice_sessions_active'),
      metrics.sum('sluice_backend_active'),
    ];
    const rest = CLIENTS - lostSessions;
    if (counts.every((count) => count === rest)) return true;
    throw new Error(`${counts} instead of ${rest}`);
  });
  const ofLost = (await bench.metrics()).sum('sluice_sessions_total', { outcome: 'worker-lost' });
  t.equal(ofLost, lostSessions, 'each of the lost has an end that is counted');
  const told = bench.events.past.filter(({ event }) => event === 'sessions-lost');
  t.equal(
    told.reduce((sum, { sessions }) => sum + Number(sessions), 0),
    lostSessions,
    'and reported, by backend',
  );
  const restarts = await bench.metrics();
  t.equal(restarts.sum('sluice_worker_restarts_total', { worker: '0' }), 1);
  t.equal(restarts.sum('sluice_worker_restarts_total'), 1);
  for (const client of clients) client.socket.destroy();
  await eventually('all are over', () => bench.daemon.sessions() === 0 || undefined);
}

let serial = 0;

/** Does what the client sends come back? */
async function echoes(client: Wire): Promise<boolean> {
  const text = String(++serial).padStart(8);
  try {
    await client.send(text);
    return (await within('the echo', client.readText(text.length), 3_000)) === text;
  } catch {
    return false;
  }
}
