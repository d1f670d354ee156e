/** What a window of latencies says where what was counted is less than before. */
import t from 'tap';
import { LatencyWindow } from '../../src/control/latency_windows.js';
import type { BackendId, ListenerId, WorkerId } from '../../src/core/brand.js';
import { createSeriesMemory, SeriesReader, SeriesWriter } from '../../src/core/series.js';

const BACKEND = 0 as BackendId;
const [KEPT, REMOVED] = [0 as ListenerId, 1 as ListenerId];

t.test('what a listener counted that is gone is not taken from the others', async (t) => {
  const memory = createSeriesMemory(1);
  const series = new SeriesReader(memory);
  const writer = new SeriesWriter(memory, 0 as WorkerId);
  const window = new LatencyWindow(series);
  const observe = (listener: ListenerId, times: number, seconds: number): void => {
    for (let n = 0; n < times; n++) {
      writer.observe(writer.rowOf(listener, BACKEND), 'firstByte', seconds);
    }
  };
  observe(REMOVED, 100, 0.003);
  window.next(BACKEND);
  series.releasePairs(({ listener }) => listener === REMOVED);
  // Most are fast. Less those of the row that is gone, most would be slow.
  observe(KEPT, 95, 0.003);
  observe(KEPT, 20, 2);
  t.equal(window.next(BACKEND).firstByte, null, 'the window is not whole');
  observe(KEPT, 10, 0.003);
  const { firstByte } = window.next(BACKEND);
  t.equal(firstByte?.count, 10);
  t.ok((firstByte?.medianMs ?? 1_000) < 10, `median ${firstByte?.medianMs}`);
});
