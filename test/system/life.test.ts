/**
 * The life of the real binary under what operators and machines do to it: changes that the machine
 * refuses, signals in any order at any moment, clients that wait while a reload leads elsewhere.
 */
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { present } from '../../src/core/assert.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { Daemon, startDaemon } from '../support/daemon.js';
import { eventually, nowMs, within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { freePort, tempFolder } from '../support/places.js';
import { mustRun } from '../support/process.js';
import { refuseCall } from '../support/refuse_call.js';
import { seed } from '../support/seed.js';
import { listenerText, poolText, serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const SHUTDOWN_MS = 1_000;
/** Exit code 0 within shutdown_timeout and two seconds. */
const END_MS = SHUTDOWN_MS + 2_000;
const LIVES = 6;
const OPEN_FILES = 4_096;
/** Connections of the test's own requests. */
const OBSERVERS = 4;
/** listen(2): <asm/unistd.h>. */
const LISTEN: Readonly<Record<string, number>> = { x64: 50, arm64: 201 };
const REFUSES_LISTEN = `process.once('SIGWINCH', async () => {
  ${refuseCall(present(LISTEN[process.arch], 'the number of listen(2) is known here'))}
  console.log('{"event":"listen-is-refused"}');
});`;

t.test('a reload that the machine refuses changes nothing, and is made later', async (t) => {
  const echoes = await startEchoes(t, 1);
  const front = serviceText({ name: 'echo', backends: echoes });
  const daemon = await startDaemon(t, {
    workers: 2,
    toml: front,
    preload: REFUSES_LISTEN,
    openFiles: OPEN_FILES,
  });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  const held = await dial(t, { port });
  const taken = await freePort();
  const binds = [taken, 0, 0, 0].map((port) => `"0.0.0.0:${port}"`).join(', ');
  const wide =
    front + listenerText({ name: 'more', pool: 'echo' }).replace(/bind = .*/, `bind = [${binds}]`);
  const refused = async (told: RegExp): Promise<void> => {
    const descriptors = await daemon.descriptors();
    const { event, problems } = await daemon.reload(wide);
    t.equal(event, 'reload-failed');
    t.match(String(problems), told);
    await held.send('on');
    t.equal(await held.readText(2), 'on', 'the session goes on');
    t.equal(await exchangeOnce({ port }), null);
    for (const page of ['/healthz', '/ready']) t.equal((await daemon.get(page)).status, 200);
    await eventually('only the held session is left', async () =>
      (await daemon.metrics()).sum('sluice_sessions_active', {}) === 1 ? true : undefined,
    );
    await eventually('nothing is left open', async () =>
      (await daemon.descriptors()) <= descriptors + OBSERVERS ? true : undefined,
    );
  };
  const made = async (): Promise<void> => {
    for (const toml of [wide, front]) t.equal((await daemon.reload(toml)).event, 'reloaded');
  };

  const other = createServer().listen(taken, '0.0.0.0');
  await refused(/more cannot listen on .*EADDRINUSE.*ss -lntup/);
  other.close();
  await made();

  const limit = (soft: number | string) =>
    mustRun('prlimit', [`--pid=${daemon.pid}`, `--nofile=${soft}:`]);
  // Enough to read the file, too few for four addresses of two workers.
  await limit(limitFor(daemon, 6));
  await refused(/more cannot listen on .*EMFILE.*LimitNOFILE/);
  await limit(OPEN_FILES);
  await made();

  daemon.signal('SIGWINCH');
  await daemon.event('listen-is-refused');
  await refused(/more cannot listen on .*listen: .*EPERM.*seccomp/);
});

t.test(`signals in any order and at any moment (SEED=${seed})`, async (t) => {
  const echoes = await startEchoes(t, 1);
  const file = (last: string): string =>
    serviceText({ name: 'echo', backends: echoes }) +
    (last === '' ? '' : listenerText({ name: last, pool: 'echo' }));
  const left = Array.from({ length: LIVES }, (_, index) => seed + index);
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      await life(t, next, file);
  };
  await Promise.all([work(), work(), work()]);
});

const RELOADS = ['SIGHUP', 'SIGHUP', 'SIGHUP', 'SIGUSR2'] as const;
const STOPS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
const MOMENTS = ['starting', 'engine-chosen', 'listening', 'ready', 'reloading'] as const;

async function life(t: Test, seed: number, file: (last: string) => string): Promise<void> {
  const random = seededRandom(seed);
  const setup = { toml: file(''), shutdownTimeout: `${SHUTDOWN_MS}ms` };
  const daemon = new Daemon(join(tempFolder(t), 'sluice.toml'), setup);
  t.teardown(() => daemon.end());
  const whole = `SEED=${seed}`;
  const moment = pick(random, MOMENTS);
  if (moment === 'reloading') await daemon.event('ready').then(() => daemon.signal('SIGHUP'));
  await daemon.event(moment);
  for (let count = below(random, 20); count > 0; count--) {
    daemon.signal(below(random, 6) === 0 ? 'SIGUSR1' : pick(random, RELOADS));
    await turns(below(random, 40));
  }
  let wire = null;
  if (below(random, 3) > 0) {
    // The last one is answered: what the file says now is what is.
    daemon.write(file('last'));
    daemon.signal('SIGHUP');
    await daemon.event('listening', ({ listener }) => listener === 'last');
    await eventually('each reload has its result', () => {
      const begun = daemon.eventsNamed('reloading').length;
      return daemon.eventsNamed('reloaded').length === begun ? true : undefined;
    });
    wire = below(random, 2) === 0 ? null : await dial(t, { port: await daemon.port('last') });
  }
  const beganMs = nowMs();
  const stop = pick(random, STOPS);
  for (let count = below(random, 3); count > 0; count--) daemon.signal('SIGHUP');
  daemon.signal(stop);
  for (let count = below(random, 4); count > 0; count--) {
    await turns(below(random, 40));
    daemon.signal('SIGHUP');
  }
  t.same(await within(whole, daemon.exited, END_MS + 5_000), { code: 0, signal: null }, whole);
  const tookMs = nowMs() - beganMs;
  t.ok(tookMs < END_MS, `${whole}: ${stop}, ended after ${Math.round(tookMs)} ms`);
  wire?.socket.destroy();
  for (const event of ['internal-error', 'worker-lost', 'end-forced', 'reload-failed']) {
    t.same(daemon.eventsNamed(event), [], `${whole}: ${event}`);
  }
}

t.test(
  'a session that waits while a reload leads its listener elsewhere is served there at once',
  async (t) => {
    const [busy, free] = await startEchoes(t, 2);
    const pool = (name: string, echo = busy, lines = ''): string =>
      poolText({ name, backends: [{ address: present(echo, 'both run').address }], lines });
    const pools =
      pool('busy', busy, 'max_connections = 1\nqueue_size = 10\nqueue_timeout = "10m"') +
      pool('free', free);
    const daemon = await startDaemon(t, {
      toml: listenerText({ name: 'front', pool: 'busy' }) + pools,
    });
    for (const name of ['busy', 'free']) await daemon.backendsUp(name, 1);
    const port = await daemon.port('front');
    const holder = await dial(t, { port });
    await holder.send('holder');
    t.equal(await holder.readText(6), 'holder');
    const waiters = await Promise.all(Array.from({ length: 5 }, () => dial(t, { port })));
    for (const wire of waiters) await wire.send('waited');
    await daemon.metricSettles('sluice_queue_length', { pool: 'busy' }, (sum) => sum === 5);
    const { event } = await daemon.reload(listenerText({ name: 'front', pool: 'free' }) + pools);
    t.equal(event, 'reloaded');
    for (const wire of waiters) t.equal(await wire.readText(6), 'waited');
    await daemon.metricSettles('sluice_queue_length', {}, (sum) => sum === 0);
    const metrics = await daemon.metrics();
    t.equal(metrics.sum('sluice_sessions_active', { pool: 'free' }), 5);
    await holder.send('still here');
    t.equal(await holder.readText(10), 'still here', 'a session that runs stays where it is');
  },
);

/** The limit of open files with which `count` more may be opened: the lowest numbers are used. */
function limitFor(daemon: Daemon, count: number): number {
  const used = new Set(readdirSync(`/proc/${daemon.pid}/fd`).map(Number));
  let limit = 0;
  for (let free = 0; free < count; limit++) if (!used.has(limit)) free++;
  return limit;
}

function pick<T>(random: Random, all: readonly [T, ...T[]]): T {
  return all[below(random, all.length)] ?? all[0];
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
