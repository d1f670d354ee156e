/** Ten thousand backends, in a thousand pools behind a thousand listeners, and in one pool. */
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually, nowMs, pass } from '../support/deadline.js';
import { type Latencies, LatencyWatch } from '../support/load/latency_watch.js';
import { busiestThreads } from '../support/load/thread_times.js';

t.setTimeout(180_000);

const BACKENDS = 10_000;
/** Those that a reload gives another weight, or that leave. */
const CHANGED = 1_000;
const LEAVING = 500;
const SESSIONS = 20;
/** Waits for as long as all of this takes on two cores that others use too. */
const LIMIT_MS = 60_000;
/**
 * How long a worker may be busy with a change while a session waits for its answer, in CPU time:
 * what other programs, and the daemon's main thread, take of the two cores is not the worker's. 20
 * ms are allowed at a stretch; a wait may hold the end of another one, and the kernel counts in
 * ticks. A worker that is busy at a stretch is so each time (with one pool in one go 37 to 56 ms),
 * so the best of some tries counts.
 */
const MOST_BUSY_MS = 30;
/** And whatever a wait is made of, it ends: what it adds to that at rest. */
const MOST_ADDED_MS = 1_000;
const TRIES = 4;
const WORKERS = 2;

interface Shape {
  readonly pools: number;
  readonly policy: string;
}

/** The hash table of a large pool is the longest stretch that a worker could have. */
const SHAPES: Readonly<Record<string, Shape>> = {
  'in a thousand pools': { pools: 1_000, policy: 'p2c' },
  'in one pool': { pools: 1, policy: 'source-hash' },
};

interface File extends Shape {
  readonly echoPort: number;
  /** Of CHANGED backends; all others have 1. */
  readonly weight: number;
  /** How many backends are not in it. */
  readonly without: number;
}

for (const [name, shape] of Object.entries(SHAPES)) {
  t.test(`changes of ten thousand backends ${name} are not noticed by sessions`, async (t) => {
    const watch = await LatencyWatch.start(t);
    const file = { ...shape, echoPort: watch.echoPort, weight: 1, without: 0 };
    const daemon = await startDaemon(t, {
      toml: text(file),
      workers: WORKERS,
      shutdownTimeout: '1s',
    });
    const ready = await daemon.event('ready');
    t.match(ready, { listeners: shape.pools, pools: shape.pools, backends: BACKENDS });
    const each = shape.pools / SESSIONS;
    const listeners = Array.from({ length: SESSIONS }, (_, index) => Math.floor(index * each));
    await watch.open(await Promise.all(listeners.map((index) => daemon.port(`l${index}`))));
    // Nothing else goes on: the threads that work are those that relay.
    await watch.follow(await busiestThreads(daemon.pid, WORKERS, 1_000));
    await pass(500);
    const atRest = await watch.take();
    t.comment(`ready in ${ready['duration_ms']} ms; at rest: ${told(atRest)}`);

    const bed = { daemon, watch, file, mostAddedMs: addedMs(atRest) + MOST_ADDED_MS };
    await reload(t, bed);
    await scrape(t, bed);
    await leave(t, bed);
    await pass(100);
    const after = await watch.take();
    t.ok(after.answers > 0, 'sessions go on, also at backends that left');
    t.equal(after.broken, 0, 'and none was ended');
  });
}

interface Bed {
  readonly daemon: Daemon;
  readonly watch: LatencyWatch;
  readonly file: File;
  readonly mostAddedMs: number;
}

async function reload(t: Test, bed: Bed): Promise<void> {
  const { daemon, file } = bed;
  await notNoticed(t, bed, async (tries) => {
    const record = await daemon.reload(text({ ...file, weight: 1 + tries }));
    if (record.event !== 'reloaded') t.fail(JSON.stringify(record['problems']));
    return `reload in ${record['duration_ms']} ms`;
  });
}

async function scrape(t: Test, { daemon, watch }: Bed): Promise<void> {
  const fromMs = nowMs();
  const metrics = await daemon.metrics();
  t.comment(`scraped in ${Math.round(nowMs() - fromMs)} ms: ${told(await watch.take())}`);
  t.equal(metrics.sum('sluice_backend_up'), BACKENDS);
  t.equal(metrics.sum('sluice_sessions_active'), SESSIONS);
  const weights = metrics.sum('sluice_backend_weight_effective');
  t.ok(weights > BACKENDS && weights % CHANGED === 0, `the weights are ${weights}`);
}

/** Some leave and come again, as often as it takes. */
async function leave(t: Test, bed: Bed): Promise<void> {
  const { daemon, file } = bed;
  await notNoticed(t, bed, async (tries) => {
    if (tries > 1) await daemon.reload(text(file));
    const before = daemon.eventsNamed('backend-drained').length;
    const record = await daemon.reload(text({ ...file, without: LEAVING }));
    t.equal((record['removed'] as readonly string[]).length, LEAVING);
    const idle = before + LEAVING - SESSIONS;
    await eventually(
      'backends without sessions are forgotten',
      () => daemon.eventsNamed('backend-drained').length >= idle || undefined,
      LIMIT_MS,
    );
    return 'drain';
  });
}

/** `change` answers what it did. It is done again while sessions have noticed it. */
async function notNoticed(
  t: Test,
  { watch, mostAddedMs }: Bed,
  change: (tries: number) => Promise<string>,
): Promise<void> {
  let [busyMs, addedTimeMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const isFine = (): boolean => busyMs < MOST_BUSY_MS && addedTimeMs < mostAddedMs;
  for (let tries = 1; tries <= TRIES && !isFine(); tries++) {
    await watch.take();
    const what = await change(tries);
    const meanwhile = await watch.take();
    t.comment(`${what}: ${told(meanwhile)}`);
    busyMs = Math.min(busyMs, meanwhile.busyMs);
    addedTimeMs = Math.min(addedTimeMs, addedMs(meanwhile));
  }
  t.ok(busyMs < MOST_BUSY_MS, `a worker was busy for ${busyMs} ms at least`);
  t.ok(addedTimeMs < mostAddedMs, `a wait was ${addedTimeMs} ms longer at least`);
}

function text({ pools, policy, echoPort, weight, without }: File): string {
  const each = BACKENDS / pools;
  return Array.from({ length: pools }, (_, pool) => {
    const gone = Math.floor((without * (pool + 1)) / pools) - Math.floor((without * pool) / pools);
    const backends = Array.from({ length: each - gone }, (_, index) => {
      const number = pool * each + index;
      // All of 127.0.0.0/8 is this machine.
      const address = `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
      const own = number % (BACKENDS / CHANGED) === 0 ? weight : 1;
      return `{ address = "${address}:${echoPort}", weight = ${own} }`;
    });
    return `[listeners.l${pool}]
bind = "127.0.0.1:0"
pool = "p${pool}"
[pools.p${pool}]
policy = "${policy}"
backends = [${backends.join(', ')}]
health = { probe = "none" }
`;
  }).join('');
}

function addedMs({ worstMs, straightMs }: Latencies): number {
  return Math.max(0, worstMs - straightMs);
}

function told({ worstMs, straightMs, busyMs, answers }: Latencies): string {
  const [worst, straight] = [Math.round(worstMs), Math.round(straightMs)];
  const busy = `a worker busy for ${busyMs.toFixed(1)} ms at most`;
  return `${answers} answers, the worst after ${worst} ms (straight: ${straight}); ${busy}`;
}
