import t from 'tap';
import { LookPace } from '../../src/control/look_pace.js';
import { createVitalsMemory, Vitals } from '../../src/control/vitals.js';
import type { WorkerId } from '../../src/core/brand.js';
import { createSeriesMemory, SeriesReader, SeriesWriter } from '../../src/core/series.js';
import { PLAIN_COLUMN } from '../../src/core/series_layout.js';
import { inventory, listenerSpec, poolSpec, resolved, spec } from './fixtures.js';

const [FIRST, SECOND] = [0 as WorkerId, 1 as WorkerId];

function bench() {
  const all = inventory();
  all.apply(spec([poolSpec('pg')], [listenerSpec('db', 'pg')]), resolved);
  const [listener] = all.listeners.values();
  if (listener === undefined) throw new Error('a listener arrives');
  const memory = createSeriesMemory(2);
  const vitalsMemory = createVitalsMemory();
  const vitals = new Vitals(vitalsMemory);
  const now = { ms: 100_000, isCalm: true, isStill: true };
  const pace = new LookPace({
    series: new SeriesReader(memory),
    inventory: all,
    vitals,
    workers: 2,
    isCalm: () => now.isCalm,
    isStill: () => now.isStill,
  });
  return {
    now,
    pace,
    vitals,
    /** As another thread sees them. */
    theirs: new Vitals(vitalsMemory),
    next: () => pace.next(now.ms),
    begin: (worker: WorkerId) =>
      new SeriesWriter(memory, worker).add(listener.series, PLAIN_COLUMN.accepted, 1),
    /** Calm looks, of which the last one may be a rest. */
    calm: () => {
      for (let looks = 0; looks < 4; looks++) pace.next(now.ms);
      return pace.next(now.ms);
    },
  };
}

const CALM = { delayMs: 1_000, kind: 'at work' };

t.test('looks are rare while no session begins and no backend ramps or drains', async (t) => {
  const { now, next, begin } = bench();
  t.same(next(), CALM);
  for (const worker of [FIRST, SECOND]) {
    begin(worker);
    t.same(next(), { delayMs: 250, kind: 'at work' }, `a session has begun at worker ${worker}`);
    t.same(next(), CALM, 'none has begun since');
  }
  now.isCalm = false;
  t.same(next(), { delayMs: 250, kind: 'at work' });
});

t.test('after some calm looks the main thread rests for as long as all workers do', async (t) => {
  const { now, next, calm, begin, vitals, theirs } = bench();
  vitals.beat(FIRST, now.ms + 7_000);
  vitals.beat(SECOND, now.ms + 4_000);
  t.same(calm(), { delayMs: 4_100, kind: 'at rest' }, 'a little longer than the first of them');
  t.ok(theirs.wakesMain(), 'a worker that stirs says so');
  t.notOk(theirs.wakesMain(), 'one of them does');
  begin(SECOND);
  t.equal(next().delayMs, 250);
  t.same(next(), CALM, 'and calm looks begin anew');
  vitals.beat(SECOND, now.ms + 60_000);
  vitals.beat(FIRST, now.ms + 60_000);
  t.same(calm(), { delayMs: 10_100, kind: 'at rest' }, 'it never rests for longer');
});

t.test('it does not rest beside a worker that does not, or when something is due', async (t) => {
  const { now, calm, vitals, theirs } = bench();
  vitals.beat(FIRST, now.ms + 7_000);
  vitals.beat(SECOND, now.ms - 1);
  t.same(calm(), CALM);
  t.notOk(theirs.wakesMain(), 'nothing has to wake it');
  vitals.beat(SECOND, now.ms + 7_000);
  now.isStill = false;
  t.same(calm(), CALM);
  now.isStill = true;
  t.equal(calm().kind, 'at rest');
});
