import t from 'tap';
import { SimulatedTally } from '../../../src/balance/simulate/tally.js';

t.test('quantiles are by nearest rank', async (t) => {
  const tally = new SimulatedTally(200);
  for (let time = 100; time >= 1; time--) tally.finished(time);
  t.same(tally.quantilesMs([0, 0.5, 0.99, 1]), [1, 50, 99, 100]);
  t.equal(tally.meanMs, 50.5);
  t.equal(tally.served, 100);
});

t.test('with no client served there is nothing to show', async (t) => {
  const tally = new SimulatedTally(0);
  t.same(tally.quantilesMs([0.5, 0.99]), [0, 0]);
  t.equal(tally.meanMs, 0);
  t.equal(tally.imbalance, 1);
});

t.test('imbalance is the greatest load a unit of weight over the mean one', async (t) => {
  const even = new SimulatedTally(1);
  even.placed(Int32Array.of(2, 4), Float64Array.of(1, 2));
  t.equal(even.imbalance, 1);
  const uneven = new SimulatedTally(1);
  uneven.placed(Int32Array.of(4, 0, 9), Float64Array.of(1, 1, 0));
  uneven.placed(Int32Array.of(1, 1, 0), Float64Array.of(1, 1, 0));
  // Greatest 4 and 1, means 2 and 1: what a backend of weight 0 still has is not looked at.
  t.equal(uneven.imbalance, 5 / 3);
});
