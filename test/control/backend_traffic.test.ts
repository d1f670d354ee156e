/** What a backend has done so far is the sum over its listeners, with what is past. */
import t from 'tap';
import { backendTraffic } from '../../src/control/backend_traffic.js';
import { Tallies } from '../../src/control/tallies.js';
import type { BackendId, ListenerId, WorkerId } from '../../src/core/brand.js';
import { createSeriesMemory, SeriesReader, SeriesWriter } from '../../src/core/series.js';
import { CAUSE_COLUMN, DIAL_COLUMN, PLAIN_COLUMN } from '../../src/core/series_layout.js';

const [WEB, API] = [0 as ListenerId, 1 as ListenerId];
const [A, B] = [0 as BackendId, 1 as BackendId];

function counted() {
  const memory = createSeriesMemory(1);
  const series = new SeriesReader(memory);
  const tallies = new Tallies(series, { nowMs: () => 0 });
  tallies.listenerIs(WEB, { key: 'web', name: 'web', protocol: 'tcp' });
  tallies.listenerIs(API, { key: 'api', name: 'api', protocol: 'tcp' });
  tallies.backendIs(A, { pool: 'app', backend: 'a' });
  tallies.backendIs(B, { pool: 'app', backend: 'b' });
  const writer = new SeriesWriter(memory, 0 as WorkerId);
  for (const [listener, backend, times] of [
    [WEB, A, 3],
    [API, A, 2],
    [WEB, B, 7],
  ] as const) {
    const row = writer.rowOf(listener, backend);
    writer.add(row, PLAIN_COLUMN.active, 1);
    writer.add(row, PLAIN_COLUMN.bytesIn, 10 * times);
    writer.add(row, CAUSE_COLUMN.finished, times);
    writer.add(row, CAUSE_COLUMN['backend-reset'], 1);
    writer.add(row, DIAL_COLUMN.refused, times);
    writer.observe(row, 'firstByte', 0.004);
  }
  return { series, tallies, of: (name: string) => backendTraffic(tallies, series, 'app', name) };
}

t.test('it is the sum over listeners, of this backend alone', async (t) => {
  t.match(counted().of('a'), {
    sessions: 2 + 5 + 2,
    bytesIn: 50,
    bytesOut: 0,
    failedDials: [{ reason: 'refused', count: 5 }],
    ends: [
      { reason: 'finished', count: 5 },
      { reason: 'backend-reset', count: 2 },
    ],
    connect: null,
  });
  const { firstByte } = counted().of('a');
  t.ok(firstByte !== null && firstByte.medianMs > 2.5 && firstByte.p99Ms <= 5, 'in its bucket');
  t.match(counted().of('none'), { sessions: 0, failedDials: [], ends: [], firstByte: null });
});

t.test('what a listener that has gone had counted stays', async (t) => {
  const { tallies, of } = counted();
  tallies.listenersGone(new Set([API]));
  t.match(of('a'), { sessions: 1 + 5 + 2, bytesIn: 50, failedDials: [{ count: 5 }] });
});
