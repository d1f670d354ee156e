import t from 'tap';
import { latencyOf, median } from '../../src/pool/latency_window.js';

const BOUNDS = [1, 2, 4];

t.test('a median is interpolated inside its bucket', async (t) => {
  t.same(latencyOf([0, 4, 0, 0], BOUNDS), { medianMs: 1500, count: 4 });
  t.same(latencyOf([2, 0, 0, 0], BOUNDS), { medianMs: 500, count: 2 });
  t.same(latencyOf([1, 1, 4, 0], BOUNDS), { medianMs: 2500, count: 6 });
});

t.test('what is above the last bound counts as the last bound', async (t) => {
  t.same(latencyOf([0, 0, 0, 3], BOUNDS), { medianMs: 4000, count: 3 });
});

t.test('nothing, or a row that was cleared meanwhile, has no median', async (t) => {
  t.equal(latencyOf([0, 0, 0, 0], BOUNDS), null);
  t.equal(latencyOf([-1, -2, -3, -4], BOUNDS), null);
});

t.test('the median of values', async (t) => {
  t.equal(median([]), null);
  t.equal(median([3]), 3);
  t.equal(median([9, 1]), 5);
  t.equal(median([9, 1, 2]), 2);
});
