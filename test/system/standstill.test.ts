/** Peers that take nothing: sessions that move keep moving, memory is bounded and given back. */
import { availableParallelism, loadavg } from 'node:os';
import t, { type Test } from 'tap';
import { type Daemon, ENGINE, startDaemon } from '../support/daemon.js';
import { eventually, nowMs } from '../support/deadline.js';
import { type Crowd, startCrowd } from '../support/load/crowd.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce, quantile } from '../support/load/short_connections.js';
import { poolMemoryBytes } from '../support/pool_memory.js';
import { listenerText, poolText } from '../support/settings.js';
import { dial, type Wire } from '../support/wire.js';

t.setTimeout(240_000);

const MIB = 1_048_576;
const EXCHANGES = 200;
const MANY_EXCHANGES = 1_000;

interface Scene {
  readonly daemon: Daemon;
  readonly crowd: Crowd;
  readonly port: (listener: string) => Promise<number>;
}

/** A pool that echoes, one that streams without end and one that never reads. */
async function scene(t: Test, lines = ''): Promise<Scene> {
  const echoes = await startEchoes(t, 1);
  const crowd = await startCrowd(t);
  const daemon = await startDaemon(t, {
    access: 'errors',
    toml:
      poolText({ name: 'echo', backends: echoes }) +
      poolText({ name: 'endless', backends: [{ address: crowd.endless }] }) +
      poolText({ name: 'hung', backends: [{ address: crowd.hung }] }) +
      poolText({
        name: 'full',
        backends: [{ address: crowd.hung, lines: 'max_connections = 1' }],
        lines: 'queue_size = 4000\nqueue_timeout = "60s"',
      }) +
      listenerText({ name: 'echo', pool: 'echo' }) +
      listenerText({ name: 'endless', pool: 'endless' }) +
      listenerText({ name: 'hung', pool: 'hung' }) +
      listenerText({ name: 'full', pool: 'full' }) +
      listenerText({
        name: 'strict',
        pool: 'echo',
        lines: 'accept_proxy_protocol = true\ntrusted_proxies = ["127.0.0.0/8"]',
      }) +
      lines,
  });
  for (const pool of ['echo', 'endless', 'hung', 'full']) await daemon.backendsUp(pool, 1);
  return { daemon, crowd, port: (listener) => daemon.port(listener) };
}

/** The median of a number of exchanges of 64 bytes, one after the other, on an open session. */
async function medianMs(wire: Wire, exchanges = EXCHANGES): Promise<number> {
  const took: number[] = [];
  const block = Buffer.alloc(64, 'm');
  for (let done = 0; done < exchanges; done++) {
    const beganMs = nowMs();
    await wire.send(block);
    await wire.read(block.length);
    took.push(nowMs() - beganMs);
  }
  return quantile(
    took.sort((a, b) => a - b),
    0.5,
  );
}

/** Old and new sessions of another pool are served, and PROXY headers are read. */
async function othersMove(t: Test, { port }: Scene, old: Wire): Promise<void> {
  await medianMs(old);
  const target = { port: await port('echo') };
  for (let done = 0; done < 20; done++) t.equal(await exchangeOnce(target, 2_000), null);
  const strict = await dial(t, { port: await port('strict') });
  const header = 'PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n';
  await strict.send(Buffer.from(`${header}hello`));
  t.equal((await strict.read(5, 2_000)).toString(), 'hello');
  strict.socket.destroy();
}

interface Standing {
  readonly rssBytes: number;
  readonly poolBytes: number;
  readonly descriptors: number;
}

async function standingOf({ daemon }: Scene): Promise<Standing> {
  return {
    rssBytes: daemon.rssBytes(),
    poolBytes: poolMemoryBytes(daemon.pid),
    descriptors: await daemon.descriptors(),
  };
}

/**
 * Within two seconds after the crowd has left its sessions, descriptors and buffers are given
 * back, and what V8 and the allocator keep is bounded; how much the process has then.
 */
async function givenBack(made: Scene, before: Standing, t: Test): Promise<Standing> {
  const leftMs = nowMs();
  const ms = (): number => Math.round(nowMs() - leftMs);
  const limitMs = GIVEN_BACK_MS * busyness();
  const within = (what: string, excess: (now: Standing) => number): Promise<Standing> =>
    eventually(
      what,
      async () => {
        const now = await standingOf(made);
        const over = excess(now);
        if (over <= 0) return now;
        throw new Error(`${over.toFixed(0)} too many: ${JSON.stringify(now)}`);
      },
      Math.max(1, limitMs - ms()),
    );
  const { descriptors, poolBytes, rssBytes } = before;
  await within('descriptors', (now) => now.descriptors - descriptors - SPARE_DESCRIPTORS);
  const sessionsMs = ms();
  await within('MiB of buffers', (now) => (now.poolBytes - poolBytes) / MIB - WARM_MIB);
  const buffersMs = ms();
  const rest = await within('MiB', (now) => (now.rssBytes - rssBytes) / MIB - SPARE_MIB);
  t.comment(
    `of ${limitMs.toFixed(0)} ms: sessions after ${sessionsMs}, buffers after ${buffersMs}, ` +
      `memory after ${ms()}: ${mib(rest.rssBytes - rssBytes)} MiB more than before`,
  );
  return rest;
}

/** How many want each core: 1 or more. */
function busyness(): number {
  const [load = 1] = loadavg();
  return Math.min(MOST_BUSY, Math.max(1, load / availableParallelism()));
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}

/** On a machine that others use, too, it takes as much longer as there are more of them. */
const GIVEN_BACK_MS = 2_000;
const MOST_BUSY = 6;
/** Connections of probes. */
const SPARE_DESCRIPTORS = 16;
/** Buffers that stay warm for the next burst: 64 in the ring and 32 behind it, of two workers. */
const WARM_MIB = 16;
/**
 * What V8 keeps of the objects and access lines of thousands of sessions: usually less than half,
 * more where its collector found no time. The shared buffers are looked at apart from it.
 */
const SPARE_MIB = 128;
/** A second crowd finds what V8 kept of the first. */
const AGAIN_MIB = 40;
/** At least this, on a machine that others use, too. */
const LATENCY_FLOOR_MS = 1;
const NEVER_READ = 2_000;
const UPLOADS = 500;
/**
 * uring (docs/adr/0007-bounded-buffers.md): the large buffers of two workers, a quarter of their
 * small ones, from which on they are scarce, and then one small one for each session.
 */
const CROWD_BUFFERS_MIB =
  ENGINE === 'uring' ? 2 * (64 + 256 / 4) + ((NEVER_READ + UPLOADS) * 16) / 1024 : 0;
/**
 * All that a crowd may take beyond the memory before. node: three chunks of 64 KiB for each
 * session. Both: 8 KiB of objects for each, the young generations of two workers, which grow with
 * the first burst, and what V8 may keep of an earlier crowd.
 */
const CROWD_MIB =
  CROWD_BUFFERS_MIB +
  ((NEVER_READ + UPLOADS) * (8 + (ENGINE === 'uring' ? 0 : 3 * 64))) / 1024 +
  2 * 12 +
  SPARE_MIB / 2;

t.test('clients that never read and uploads to a hung backend', async (t) => {
  const made = await scene(t);
  const { daemon, crowd, port } = made;
  const old = await dial(t, { port: await port('echo') });
  await medianMs(old);
  const before = await standingOf(made);
  const after: Standing[] = [];
  for (const round of ['first', 'second']) {
    const beforeMs = await medianMs(old, MANY_EXCHANGES);
    const targets = { endless: await port('endless'), hung: await port('hung') };
    for (const [kind, count, target] of [
      ['never-reads', NEVER_READ, targets.endless],
      ['uploads', UPLOADS, targets.hung],
    ] as const) {
      await crowd.do({ order: 'connect', kind, count, port: target });
    }
    await othersMove(t, made, old);
    await crowd.do({ order: 'stand-still' });
    await othersMove(t, made, old);
    const duringMs = await medianMs(old, MANY_EXCHANGES);
    const more = {
      bytes: daemon.rssBytes() - before.rssBytes,
      bufferBytes: poolMemoryBytes(daemon.pid) - before.poolBytes,
    };
    const times = `${beforeMs.toFixed(3)} ms before, ${duringMs.toFixed(3)} ms with the crowd`;
    t.ok(duringMs <= Math.max(2 * beforeMs, LATENCY_FLOOR_MS), `${round}: ${times}`);
    t.ok(more.bytes <= CROWD_MIB * MIB, `${round}: ${mib(more.bytes)} MiB for the crowd`);
    const buffers = `${round}: ${mib(more.bufferBytes)} MiB of them shared buffers`;
    t.ok(more.bufferBytes <= CROWD_BUFFERS_MIB * MIB, buffers);
    await crowd.do({ order: 'leave', how: 'reset' });
    after.push(await givenBack(made, before, t));
  }
  const [first, second] = after;
  const usualBytes = before.rssBytes + (SPARE_MIB / 2) * MIB;
  const keptBytes = Math.max(first?.rssBytes ?? Number.NaN, usualBytes);
  const grownBytes = (second?.rssBytes ?? Number.NaN) - keptBytes;
  t.ok(grownBytes <= AGAIN_MIB * MIB, `the second crowd left ${mib(grownBytes)} MiB more`);
});

t.test('clients that never read or upload harm no other, nor when they leave', async (t) => {
  const made = await scene(t);
  const { crowd, port } = made;
  const old = await dial(t, { port: await port('echo') });
  // Uploads that are closed stand behind what the backend does not read: they are the last.
  for (const [kind, count, to, how] of [
    ['never-reads', 400, 'endless', 'close'],
    ['never-reads', 400, 'endless', 'reset'],
    ['uploads', 300, 'hung', 'reset'],
    ['uploads', 300, 'hung', 'close'],
  ] as const) {
    await crowd.do({ order: 'connect', kind, count, port: await port(to) });
    await crowd.do({ order: 'stand-still' });
    await othersMove(t, made, old);
    await crowd.do({ order: 'leave', how });
    await othersMove(t, made, old);
  }
});

t.test('1500 queued clients with 64 KiB each: PROXY headers are read all the same', async (t) => {
  const made = await scene(t);
  const { crowd, port } = made;
  const old = await dial(t, { port: await port('echo') });
  await medianMs(old);
  const before = await standingOf(made);
  await crowd.do({ order: 'connect', kind: 'queued', count: 1_500, port: await port('full') });
  await othersMove(t, made, old);
  await crowd.do({ order: 'leave', how: 'reset' });
  await givenBack(made, before, t);
});
