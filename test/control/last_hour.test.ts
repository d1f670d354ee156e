/** The last hour in figures: rates and quantiles of ten seconds each, and bounded. */
import t from 'tap';
import { LastHour, MAX_POINTS } from '../../src/control/last_hour.js';
import { Tallies } from '../../src/control/tallies.js';
import { Handed, stateLines } from '../../src/control/upgrade/state_parts.js';
import type { BackendId, ListenerId, WorkerId } from '../../src/core/brand.js';
import { createSeriesMemory, SeriesReader, SeriesWriter } from '../../src/core/series.js';
import { CAUSE_COLUMN, PLAIN_COLUMN } from '../../src/core/series_layout.js';
import { FakeTime } from '../support/fake_time.js';

const POINT_MS = 10_000;

const LISTENER = 0 as ListenerId;

function setUp(handed: Handed | null = null, earlyMs = 0) {
  const time = new FakeTime();
  const memory = createSeriesMemory(1);
  const series = new SeriesReader(memory);
  const writer = new SeriesWriter(memory, 0 as WorkerId);
  const tallies = new Tallies(series, time);
  tallies.listenerIs(LISTENER, { key: 'l', name: 'l', protocol: 'tcp' });
  const names = ['a', 'b'];
  for (const [at, pool] of names.entries()) {
    tallies.backendIs(at as BackendId, { pool, backend: 'x' });
  }
  const pools = new Set(names);
  const hour = new LastHour({
    clock: time,
    timers: {
      after: (delayMs, callback) => time.after(Math.max(1, delayMs - earlyMs), callback),
    },
    series,
    tallies,
    pools: () => pools,
    handed,
  });
  const rows = names.map((_, at) => writer.rowOf(LISTENER, at as BackendId));
  return { time, writer, hour, rows, pools };
}

t.test('a point has what came in its ten seconds, of all and of each pool', async (t) => {
  const { time, writer, hour, rows, pools } = setUp();
  const [a, b] = rows;
  if (a === undefined || b === undefined) throw new Error('there are two');
  t.same(hour.of(null), []);
  for (let n = 0; n < 100; n++) writer.observe(a, 'firstByte', n < 98 ? 0.003 : 2);
  writer.add(a, PLAIN_COLUMN.accepted, 100);
  writer.add(a, PLAIN_COLUMN.active, 7);
  writer.add(b, CAUSE_COLUMN['backend-reset'], 20);
  await time.pass(POINT_MS);
  const [all] = hour.of(null) ?? [];
  t.match(all, { sessions: 7, acceptedPerSecond: 10, failedPerSecond: 2, refusedPerSecond: 0 });
  t.equal(all?.wallMs, time.wallMs());
  t.ok((all?.medianMs ?? 0) > 2.5 && (all?.medianMs ?? 0) <= 5, `median ${all?.medianMs}`);
  t.ok((all?.p99Ms ?? 0) > 1_000, `p99 ${all?.p99Ms}`);
  t.match(hour.of('a'), [{ acceptedPerSecond: 10, failedPerSecond: 0 }]);
  t.match(hour.of('b'), [{ acceptedPerSecond: 0, failedPerSecond: 2, medianMs: null }]);
  await time.pass(POINT_MS);
  t.match(hour.of('a')?.[1], { sessions: 7, acceptedPerSecond: 0, medianMs: null });
  pools.delete('a');
  await time.pass(POINT_MS);
  t.equal(hour.of('a'), null, 'nothing is kept of a pool that is gone');
  t.equal(hour.of(null)?.length, 3);
});

t.test('a timer that comes a moment early makes no point of its own', async (t) => {
  const { time, hour } = setUp(null, 1);
  await time.pass(3 * POINT_MS);
  t.equal(hour.of(null)?.length, 3);
});

t.test('it forgets what is older than an hour, and ends', async (t) => {
  const { time, writer, hour, rows } = setUp();
  const [a] = rows;
  if (a === undefined) throw new Error('there is one');
  for (let n = 1; n <= MAX_POINTS + 2; n++) {
    writer.add(a, PLAIN_COLUMN.accepted, n);
    await time.pass(POINT_MS);
  }
  const points = hour.of(null) ?? [];
  t.equal(points.length, MAX_POINTS);
  t.equal(points[0]?.acceptedPerSecond, 0.3);
  t.equal(points.at(-1)?.acceptedPerSecond, (MAX_POINTS + 2) / 10);
  hour.end();
  t.equal(time.pending, 0);
});

t.test('the hour of the process before this one goes before what is counted here', async (t) => {
  const [before, handed] = [setUp(), new Handed()];
  const [a] = before.rows;
  if (a === undefined) throw new Error('there is one');
  for (const accepted of [10, 20]) {
    before.writer.add(a, PLAIN_COLUMN.accepted, accepted);
    await before.time.pass(POINT_MS);
  }
  const { time, writer, hour, rows } = setUp(handed);
  await time.pass(POINT_MS);
  const told = [...stateLines('hour', before.hour.records())].filter((line) => line !== null);
  for (const line of told) handed.hear(JSON.parse(JSON.stringify(line)));
  const points = [
    [1, 2, 3],
    ['x', 1, 1, 1, 1, 1, 1, 1, 1],
  ];
  for (const bad of [...points.map((row) => [row]), null, [7]]) {
    handed.hear({ kind: 'state', format: 1, of: 'hour', items: [{ pool: null, points: bad }] });
  }
  t.equal(handed.takeTrouble(), '4 of hour');
  t.same(hour.of(null), before.hour.of(null));
  t.same(hour.of('a'), before.hour.of('a'));
  // What that process has counted in its life arrives in one moment.
  writer.add(rows[0] ?? a, PLAIN_COLUMN.accepted, 1_000_000);
  handed.settle();
  await time.pass(0);
  writer.add(rows[0] ?? a, PLAIN_COLUMN.accepted, 30);
  await time.pass(POINT_MS);
  for (const pool of [null, 'a']) {
    t.same(
      hour.of(pool)?.map(({ acceptedPerSecond }) => acceptedPerSecond),
      [1, 2, 3],
    );
  }
});
