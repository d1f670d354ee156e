import t from 'tap';
import { quantile } from '../../src/core/quantile.js';

const BOUNDS = [1, 2, 4];

t.test('a quantile lies inside its bucket, evenly', async (t) => {
  t.equal(quantile([0, 10, 0, 0], BOUNDS, 0.5), 1.5);
  t.equal(quantile([10, 0, 0, 0], BOUNDS, 0.99), 0.99);
  t.equal(quantile([5, 0, 5, 0], BOUNDS, 0.5), 1, 'the first half is in the first bucket');
  t.equal(quantile([5, 0, 5, 0], BOUNDS, 0.75), 3);
});

t.test('what is beyond every bound is at the last one, and nothing is no number', async (t) => {
  t.equal(quantile([1, 0, 0, 99], BOUNDS, 0.5), 4);
  t.ok(Number.isNaN(quantile([0, 0, 0, 0], BOUNDS, 0.5)));
});
