/** Rows of counters: pairs take theirs when they are served first. Seeded. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { BackendId, ListenerId, WorkerId } from '../../src/core/brand.js';
import { MAX_BACKENDS, MAX_LISTENERS, MAX_PAIRS } from '../../src/core/limits.js';
import { below, seededRandom } from '../../src/core/random.js';
import { createSeriesMemory, SeriesReader, SeriesWriter } from '../../src/core/series.js';
import { CAUSE_COLUMN, PLAIN_COLUMN } from '../../src/core/series_layout.js';
import { seed } from '../support/seed.js';
import type { PairHammerStart } from './pair_hammer.js';

const { bytesIn, active } = PLAIN_COLUMN;
const listener = (id: number): ListenerId => id as ListenerId;
const backend = (id: number): BackendId => id as BackendId;
const WORKER = 0 as WorkerId;

function setUp(workers = 1) {
  const memory = createSeriesMemory(workers);
  const writers = Array.from(
    { length: workers },
    (_, worker) => new SeriesWriter(memory, worker as WorkerId),
  );
  return { memory, reader: new SeriesReader(memory), writers, writer: writers[0] as SeriesWriter };
}

t.test('a pair has no row before its first session, and one for all workers then', async (t) => {
  const { reader, writers } = setUp(3);
  t.same(reader.rowsOf(backend(7)), []);
  for (const writer of writers) writer.add(writer.rowOf(listener(5), backend(7)), bytesIn, 2);
  const rows = reader.rowsOf(backend(7));
  t.same(
    rows.map((row) => [row.listener, reader.value(row.series, bytesIn)]),
    [[5, 6]],
  );
});

t.test('rows of the first and the last listener and backend are distinct', async (t) => {
  const { reader, writer } = setUp();
  const ends = [0, 1, MAX_LISTENERS - 1].flatMap((front) =>
    [0, 1, MAX_BACKENDS - 1].map((back) => [front, back] as const),
  );
  const rows = ends.map(([front, back]) => writer.rowOf(listener(front), backend(back)));
  t.equal(new Set(rows).size, ends.length);
  for (const [index, [front, back]] of ends.entries()) {
    const found = reader.rowsOf(backend(back)).find((row) => row.listener === front);
    t.equal(found?.series, rows[index]);
  }
});

t.test('a row that is given back is zero for its next owner', async (t) => {
  const { reader, writer } = setUp();
  const first = writer.rowOf(listener(1), backend(1));
  writer.add(first, bytesIn, 9);
  writer.observe(first, 'session', 3);
  reader.releaseBackend(backend(1));
  t.same(reader.rowsOf(backend(1)), []);
  const second = writer.rowOf(listener(2), backend(2));
  t.equal(second, first, 'rows are dense');
  t.equal(reader.value(second, bytesIn), 0);
  t.equal(reader.histogram(second, 'session').sumMicros, 0);
});

t.test('a worker that has served a pair finds the row that it has by now', async (t) => {
  const { reader, writers } = setUp(2);
  const [one, other] = writers as [SeriesWriter, SeriesWriter];
  const first = one.rowOf(listener(1), backend(7));
  t.equal(one.rowOf(listener(1), backend(7)), first);
  t.not(one.rowOf(listener(2), backend(7)), first, 'another listener has another row');
  reader.releaseBackend(backend(7));
  t.equal(other.rowOf(listener(1), backend(8)), first, 'the row is another pair’s');
  const next = one.rowOf(listener(1), backend(7));
  t.not(next, first);
  t.equal(other.rowOf(listener(1), backend(7)), next);
});

t.test('pairs beyond the last row are counted at their backend, until rows are free', async (t) => {
  const { reader, writer } = setUp();
  for (let pair = 0; pair < MAX_PAIRS; pair++) {
    writer.rowOf(listener(Math.floor(pair / 8)), backend(pair % 8));
  }
  t.equal(reader.isCrowded, false);
  const alone = writer.rowOf(listener(MAX_LISTENERS - 1), backend(9));
  t.equal(writer.rowOf(listener(MAX_LISTENERS - 2), backend(9)), alone);
  writer.add(alone, bytesIn, 4);
  t.equal(reader.isCrowded, true);
  t.same(
    reader.rowsOf(backend(9)).map((row) => [row.listener, reader.value(row.series, bytesIn)]),
    [[null, 4]],
  );
  reader.releasePairs((row) => row.listener === 0);
  const row = writer.rowOf(listener(MAX_LISTENERS - 1), backend(9));
  t.not(row, alone, 'there is room again');
  t.equal(reader.rowsOf(backend(9)).length, 2);
  reader.releaseBackend(backend(9));
  t.same(reader.rowsOf(backend(9)), []);
  t.equal(reader.value(alone, bytesIn), 0);
});

t.test('a row that is given back while a worker finds none is taken by it', async (t) => {
  const { reader, writer } = setUp();
  for (let pair = 0; pair < MAX_PAIRS; pair++) {
    writer.rowOf(listener(Math.floor(pair / 8)), backend(pair % 8));
  }
  const { store } = Atomics;
  let given = false;
  // Between the end of the search and the mark that there is no row.
  t.capture(Atomics, 'store', (cells: Int32Array, at: number, value: number) => {
    if (!given) {
      given = true;
      reader.releasePairs((row) => row.listener === 0);
    }
    return store(cells, at, value);
  });
  const row = writer.rowOf(listener(MAX_LISTENERS - 1), backend(9));
  t.same(
    reader.rowsOf(backend(9)).map((each) => [each.listener, each.series]),
    [[MAX_LISTENERS - 1, row]],
  );
});

t.test(`what is taken and given back at random is found as it is (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const { reader, writer } = setUp();
  const model = new Map<string, number>();
  for (let step = 0; step < 20_000; step++) {
    const [front, back] = [below(random, 40), below(random, 60)];
    const key = `${front}>${back}`;
    if (below(random, 50) > 0) {
      writer.add(writer.rowOf(listener(front), backend(back)), bytesIn, 1);
      model.set(key, (model.get(key) ?? 0) + 1);
    } else if (below(random, 2) === 0) {
      reader.releaseBackend(backend(back));
      for (const known of model.keys()) if (known.endsWith(`>${back}`)) model.delete(known);
    } else {
      reader.releasePairs((row) => row.listener === front);
      for (const known of model.keys()) if (known.startsWith(`${front}>`)) model.delete(known);
    }
  }
  t.same(countsOf(reader, 60), model);
});

t.test('a lost worker has no active sessions, and keeps what it counted', async (t) => {
  const { reader, writers } = setUp(2);
  for (const writer of writers) {
    const row = writer.rowOf(listener(3), backend(4));
    writer.add(row, active, 5);
    writer.add(row, bytesIn, 5);
  }
  const lost = reader.loseActive(WORKER);
  const [row] = reader.rowsOf(backend(4));
  t.same([...lost], [[row?.series, 5]]);
  t.equal(row && reader.value(row.series, CAUSE_COLUMN['worker-lost']), 5, 'they have an end');
  t.equal(row && reader.value(row.series, active), 5);
  t.equal(row && reader.value(row.series, bytesIn), 10);
});

t.test(`no count is lost between threads that meet new pairs (SEED=${seed})`, async (t) => {
  const { memory, reader } = setUp(2);
  const gate = new SharedArrayBuffer(4);
  const shape = { listeners: 30, backends: 40 };
  const answers = await Promise.all(
    [0, 1].map(async (worker) => {
      const start: PairHammerStart = {
        ...{ memory, gate, threads: 2, worker, seed, rounds: 40_000 },
        ...shape,
      };
      const thread = new Worker(new URL('./pair_hammer.js', import.meta.url), {
        workerData: start,
      });
      const [counted] = (await once(thread, 'message')) as [Int32Array];
      await thread.terminate();
      return counted;
    }),
  );
  const wanted = new Map<string, number>();
  for (let at = 0; at < shape.listeners * shape.backends; at++) {
    const sum = answers.reduce((all, counted) => all + (counted[at] ?? 0), 0);
    wanted.set(`${Math.floor(at / shape.backends)}>${at % shape.backends}`, sum);
  }
  t.same(countsOf(reader, shape.backends), wanted);
});

function countsOf(reader: SeriesReader, backends: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let back = 0; back < backends; back++) {
    for (const { series, listener } of reader.rowsOf(backend(back))) {
      const key = `${listener}>${back}`;
      counts.set(key, (counts.get(key) ?? 0) + reader.value(series, bytesIn));
    }
  }
  return counts;
}
