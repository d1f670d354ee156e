import t from 'tap';
import { rampedCap, SLOW_START_FLOOR, slowStartShare } from '../../src/pool/slow_start.js';

t.test('the share rises with time in hundredths, from the floor to all of it', async (t) => {
  t.equal(slowStartShare(0, 10_000), SLOW_START_FLOOR);
  t.equal(slowStartShare(500, 10_000), SLOW_START_FLOOR);
  t.equal(slowStartShare(2_500, 10_000), 0.25);
  t.equal(slowStartShare(2_599, 10_000), 0.25);
  t.equal(slowStartShare(9_999, 10_000), 0.99);
  t.equal(slowStartShare(10_000, 10_000), 1);
  t.equal(slowStartShare(1e12, 10_000), 1);
});

t.test('a clock that is a little behind starts at the floor', async (t) => {
  t.equal(slowStartShare(-3, 10_000), SLOW_START_FLOOR);
});

t.test('a backend never down, and a pool without slow start, have all at once', async (t) => {
  t.equal(slowStartShare(null, 10_000), 1);
  t.equal(slowStartShare(0, 0), 1);
});

t.test('a cap rises too, is never below 1, and no cap stays none', async (t) => {
  t.equal(rampedCap(100, 0.1), 10);
  t.equal(rampedCap(100, 0.555), 55);
  t.equal(rampedCap(5, 0.1), 1);
  t.equal(rampedCap(100, 1), 100);
  t.equal(rampedCap(0, 0.1), 0);
});
