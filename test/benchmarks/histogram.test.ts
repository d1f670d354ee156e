import t from 'tap';
import { Histogram } from '../../benchmarks/load/histogram.js';
import { seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

t.test(`percentiles are off by less than 0.4 %, over all magnitudes (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const histogram = new Histogram();
  const values = Array.from({ length: 20_000 }, () => 10 ** (3 + 6 * random.next()));
  for (const value of values) histogram.record(value);
  values.sort((a, b) => a - b);
  for (const share of [0.001, 0.1, 0.5, 0.9, 0.99, 0.999]) {
    const exact = values[Math.ceil(share * values.length) - 1] ?? 0;
    const told = histogram.quantile(share);
    t.ok(Math.abs(told - exact) <= 0.004 * exact, `${share}: ${told} for ${exact}`);
  }
  t.equal(histogram.greatest, values.at(-1));
  t.equal(histogram.total, values.length);
});

t.test('small values are exact, and one value is every percentile', async (t) => {
  const histogram = new Histogram();
  for (const value of [0, 1, 255, 1, 1]) histogram.record(value);
  t.equal(histogram.quantile(0.5), 1);
  t.equal(histogram.quantile(1), 255);
  histogram.clear();
  t.ok(Number.isNaN(histogram.quantile(0.5)));
  histogram.record(1e15);
  t.ok(histogram.quantile(0.5) > 1e12, 'what is beyond the scale is in the last bucket');
});
