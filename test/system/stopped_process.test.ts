/** A process that was stopped goes on as if nothing had been: such time counts for no limit. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { accessLines } from '../support/access_lines.js';
import { type Daemon, type LogRecord, startDaemon } from '../support/daemon.js';
import { nowMs, pass } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { freePort, tempFolder } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { dial, type Wire } from '../support/wire.js';

/** Each of them waits most of the time. */
t.jobs = 4;

/** Longer than every limit below, and than a worker may be silent. */
const STOPPED_MS = 6_000;
const TELLTALES = [
  'worker-silent',
  'worker-lost',
  'backend-down',
  'probe-failed',
  'backend-ejected',
  'backend-returned',
  'sessions-closing',
  'pool-down',
  'internal-error',
];

async function standStill(daemon: Daemon, meanwhile = (): void => {}): Promise<void> {
  daemon.signal('SIGSTOP');
  meanwhile();
  await pass(STOPPED_MS);
  const told = daemon.nextEvent('stood-still');
  daemon.signal('SIGCONT');
  const { cpu_ms: cpuMs } = await told;
  if (!(Number(cpuMs) < 1_000)) throw new Error(`it computed for ${cpuMs} ms while stopped`);
}

/** When the daemon says that it was. */
function timeMs({ time }: LogRecord): number {
  return Date.parse(String(time));
}

/** There and back by the backend. */
async function exchange(t: Test, wire: Wire, text: string): Promise<void> {
  await wire.send(text);
  t.equal(await wire.readText(text.length), text);
}

function untouched(t: Test, daemon: Daemon): void {
  for (const event of TELLTALES) t.same(daemon.eventsNamed(event), [], event);
}

t.test(
  'stopped for seconds: no worker, session, place in a queue or verdict is lost',
  { buffered: true },
  async (t) => {
    const backends = await startEchoes(t, 2);
    const [first] = backends;
    if (first === undefined) throw new Error('no backend');
    const daemon = await startDaemon(t, {
      workers: 2,
      access: 'all',
      toml: [
        listenerText({ pool: 'echo', bind: '0.0.0.0:0', lines: 'idle_timeout = "5s"' }),
        poolText({
          name: 'echo',
          backends,
          sections: '[pools.echo.outlier]\nconsecutive_failures = 1\n',
        }),
        listenerText({ pool: 'one', bind: '0.0.0.0:0' }),
        poolText({
          name: 'one',
          backends: [first],
          lines: 'max_connections = 1\nqueue_size = 5\nqueue_timeout = "5s"',
        }),
      ].join(''),
    });
    await daemon.backendsUp('echo', 2);
    await daemon.backendsUp('one', 1);
    const port = await daemon.port('echo');
    // They come at various moments before the stop, and are gone when it ends.
    const brief: Wire[] = [];
    for (let count = 0; count < 12; count++) {
      const wire = await dial(t, { port });
      await wire.send('!');
      await wire.read(1);
      brief.push(wire);
      await pass(20);
    }
    const wires = await Promise.all(Array.from({ length: 6 }, () => dial(t, { port })));
    const holder = await dial(t, { port: await daemon.port('one') });
    for (const wire of [...wires, holder]) await exchange(t, wire, 'before');
    const waiter = await dial(t, { port: await daemon.port('one') });
    await waiter.send('waited');
    await daemon.metricSettles('sluice_queue_length', { pool: 'one' }, (sum) => sum === 1);
    await standStill(daemon, () => {
      for (const wire of brief) wire.reset();
    });
    holder.finish();
    await Promise.all(wires.map((wire) => exchange(t, wire, 'after')));
    t.equal(await waiter.readText(6), 'waited', 'its turn in the queue came');
    t.equal(await exchangeOnce({ port }), null);
    untouched(t, daemon);
    t.equal((await daemon.get('/healthz')).status, 200);
    for (const wire of [...wires, waiter]) wire.finish();
    await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
    const durations = accessLines(daemon).map(({ duration_ms }) => duration_ms);
    t.ok(durations.length >= brief.length);
    t.same(
      durations.filter((duration) => duration < 0),
      [],
      'nothing took less than no time',
    );
    t.same(await daemon.stop(), { code: 0, signal: null });
  },
);

t.test(
  'an ejection takes its time, and a standstill is none of it',
  { buffered: true },
  async (t) => {
    const backends = await startEchoes(t, 1);
    const dead = { name: 'dead', address: `127.0.0.1:${await freePort()}` };
    const daemon = await startDaemon(t, {
      toml:
        listenerText({ pool: 'echo' }) +
        poolText({
          name: 'echo',
          policy: 'round-robin',
          backends: [dead, ...backends],
          health: 'probe = "none"',
          sections: '[pools.echo.outlier]\nconsecutive_failures = 1\nbase_ejection = "5s"\n',
        }),
    });
    const port = await daemon.port('echo');
    const ejected = daemon.event('backend-ejected');
    const returned = daemon.event('backend-returned');
    // A turn each: the dead one is dialled, and another one serves.
    for (let turn = 0; turn < 2; turn++) t.equal(await exchangeOnce({ port }), null);
    const fromMs = timeMs(await ejected);
    await standStill(daemon);
    const tookMs = timeMs(await returned) - fromMs;
    t.ok(tookMs > STOPPED_MS + 4_500, `back after ${tookMs} ms`);
  },
);

t.test(
  'stopped while a stop runs: sessions keep what is left of shutdown_timeout',
  { buffered: true },
  async (t) => {
    const backends = await startEchoes(t, 1);
    const daemon = await startDaemon(t, {
      shutdownTimeout: '5s',
      toml: listenerText({ pool: 'echo' }) + poolText({ name: 'echo', backends }),
    });
    await daemon.backendsUp('echo', 1);
    const wire = await dial(t, { port: await daemon.port('echo') });
    daemon.signal('SIGTERM');
    await daemon.event('stopping');
    await standStill(daemon);
    await wire.send('still here');
    t.equal(await wire.readText(10), 'still here');
    wire.finish();
    t.same(await daemon.exited, { code: 0, signal: null });
  },
);

t.test(
  'a worker that hangs is found in time, directly after a standstill too',
  { buffered: true },
  async (t) => {
    const backends = await startEchoes(t, 1);
    const flag = join(tempFolder(t), 'hang');
    // Each engine reads the clock in every turn of its loop.
    const hang = `import { existsSync } from 'node:fs';
    import { performance } from 'node:perf_hooks';
    import { threadId } from 'node:worker_threads';
    const { now } = performance;
    if (threadId === 1) performance.now = () => {
      while (existsSync('${flag}'));
      return now.call(performance);
    };`;
    const daemon = await startDaemon(t, {
      expects: ['worker-lost'],
      workers: 2,
      nodeFlags: ['--import', `data:text/javascript,${encodeURIComponent(hang)}`],
      toml:
        listenerText({ pool: 'echo', bind: '0.0.0.0:0' }) + poolText({ name: 'echo', backends }),
    });
    await daemon.backendsUp('echo', 1);
    await standStill(daemon);
    untouched(t, daemon);
    writeFileSync(flag, '');
    const beganMs = nowMs();
    await daemon.nextEvent('worker-silent');
    const tookMs = nowMs() - beganMs;
    // It is silent from its last turn on; with the standstill, found at once, or so much later.
    t.ok(tookMs > 2_500 && tookMs < 5_000 + STOPPED_MS, `found after ${Math.round(tookMs)} ms`);
    rmSync(flag);
    await daemon.metricSettles('sluice_worker_restarts_total', {}, (sum) => sum === 1);
    t.equal(await exchangeOnce({ port: await daemon.port('echo') }), null);
  },
);
