/** What is read of thousands of backends every few seconds makes next to nothing anew. */
import type { HeapProfiler } from 'node:inspector';
import { Session } from 'node:inspector/promises';
import t from 'tap';
import { LastHour } from '../../src/control/last_hour.js';
import { LatencyWindow } from '../../src/control/latency_windows.js';
import { Tallies } from '../../src/control/tallies.js';
import type { BackendId, ListenerId, WorkerId } from '../../src/core/brand.js';
import { createSeriesMemory, SeriesReader, SeriesWriter } from '../../src/core/series.js';
import { FakeTime } from '../support/fake_time.js';

const BACKENDS = 4_000;
const LISTENER = 0 as ListenerId;
const IDS = Array.from({ length: BACKENDS }, (_, id) => id as BackendId);
/** An array per histogram and backend took 1,000 and more. */
const MOST_BYTES_PER_BACKEND = 400;
const ENOUGH_BYTES = BACKENDS * MOST_BYTES_PER_BACKEND;
/** Until the code is compiled each sum is an object; that takes as long as the machine likes. */
const MOST_LOOKS = 100;

function setUp() {
  const time = new FakeTime();
  const memory = createSeriesMemory(1);
  const series = new SeriesReader(memory);
  const writer = new SeriesWriter(memory, 0 as WorkerId);
  const tallies = new Tallies(series, time);
  tallies.listenerIs(LISTENER, { key: 'l', name: 'l', protocol: 'tcp' });
  for (const id of IDS) {
    tallies.backendIs(id, { pool: 'p', backend: `b${id}` });
    writer.observe(writer.rowOf(LISTENER, id), 'firstByte', 0.003);
  }
  return { time, series, writer, tallies };
}

/** Of the first look that makes few enough, or of the last one. */
async function bytesPerLook(look: () => Promise<void>): Promise<number> {
  let bytes = 0;
  for (let count = 0; count < MOST_LOOKS; count++) {
    bytes = await bytesMadeBy(look);
    if (bytes < ENOUGH_BYTES) break;
  }
  return bytes;
}

/** Of all that `work` makes, as sampled; what is collected meanwhile counts. */
async function bytesMadeBy(work: () => Promise<void>): Promise<number> {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 512,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  await work();
  const { profile } = await session.post('HeapProfiler.stopSampling');
  session.disconnect();
  return bytesIn(profile.head);
}

function bytesIn({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((sum, child) => sum + bytesIn(child), selfSize);
}

t.test('a point of the last hour', async (t) => {
  const { time, series, tallies } = setUp();
  const pools = () => ['p'];
  const hour = new LastHour({ clock: time, timers: time, series, tallies, pools, handed: null });
  const bytes = await bytesPerLook(() => time.pass(10_000));
  t.ok(bytes < ENOUGH_BYTES, `${bytes} bytes`);
  hour.end();
});

t.test('a window of latencies', async (t) => {
  const { series, writer } = setUp();
  const window = new LatencyWindow(series);
  const bytes = await bytesPerLook(async () => {
    for (const id of IDS) window.next(id);
  });
  t.ok(bytes < ENOUGH_BYTES, `${bytes} bytes`);
  writer.observe(writer.rowOf(LISTENER, 7 as BackendId), 'firstByte', 0.3);
  const slow = IDS.filter((id) => (window.next(id).firstByte?.medianMs ?? 0) > 100);
  t.same(slow, [7], 'only what came in between counts');
});
