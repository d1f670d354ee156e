import t from 'tap';
import { LookPace } from '../../src/control/look_pace.js';
import type { WorkerId } from '../../src/core/brand.js';
import {
  createSeriesMemory,
  PLAIN_COLUMN,
  SeriesReader,
  SeriesWriter,
} from '../../src/core/series.js';
import { inventory, listenerSpec, poolSpec, resolved, spec } from './fixtures.js';

t.test('looks are rare while no session begins and no backend ramps or drains', async (t) => {
  const all = inventory();
  all.apply(spec([poolSpec('pg')], [listenerSpec('db', 'pg')]), resolved);
  const [listener] = all.listeners.values();
  if (listener === undefined) throw new Error('a listener arrives');
  const memory = createSeriesMemory(2);
  let isCalm = true;
  const pace = new LookPace(new SeriesReader(memory), all, () => isCalm);
  t.equal(pace.nextDelayMs(), 1_000);
  for (const worker of [0, 1]) {
    const writer = new SeriesWriter(memory, worker as WorkerId);
    writer.add(listener.series, PLAIN_COLUMN.accepted, 1);
    t.equal(pace.nextDelayMs(), 250, `a session has begun at worker ${worker}`);
    t.equal(pace.nextDelayMs(), 1_000, 'none has begun since');
  }
  isCalm = false;
  t.equal(pace.nextDelayMs(), 250);
});
