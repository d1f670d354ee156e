import t from 'tap';
import { latencyBetween, median } from '../../src/pool/latency_window.js';

const BOUNDS = [1, 2, 4];

function histogram(...counts: readonly number[]): {
  counts: readonly number[];
  sumMicros: number;
} {
  return { counts, sumMicros: 0 };
}

t.test('a median is interpolated inside its bucket', async (t) => {
  t.same(latencyBetween(null, histogram(0, 4, 0, 0), BOUNDS), { medianMs: 1500, count: 4 });
  t.same(latencyBetween(null, histogram(2, 0, 0, 0), BOUNDS), { medianMs: 500, count: 2 });
  t.same(latencyBetween(null, histogram(1, 1, 4, 0), BOUNDS), { medianMs: 2500, count: 6 });
});

t.test('only what came in between counts', async (t) => {
  const before = histogram(1000, 0, 0, 0);
  const after = histogram(1000, 2, 0, 0);
  t.same(latencyBetween(before, after, BOUNDS), { medianMs: 1500, count: 2 });
});

t.test('what is above the last bound counts as the last bound', async (t) => {
  t.same(latencyBetween(null, histogram(0, 0, 0, 3), BOUNDS), { medianMs: 4000, count: 3 });
});

t.test('nothing in between, or a cleared row, has no median', async (t) => {
  t.equal(latencyBetween(histogram(1, 2, 3, 4), histogram(1, 2, 3, 4), BOUNDS), null);
  t.equal(latencyBetween(histogram(1, 2, 3, 4), histogram(0, 0, 0, 0), BOUNDS), null);
});

t.test('the median of values', async (t) => {
  t.equal(median([]), null);
  t.equal(median([3]), 3);
  t.equal(median([9, 1]), 5);
  t.equal(median([9, 1, 2]), 2);
});
