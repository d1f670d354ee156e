import t from 'tap';
import { estimate, median, medianInterval } from '../../benchmarks/support/statistics.js';
import { seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

t.test('the median is the middle one, or between the two middle ones', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2.5);
  t.ok(Number.isNaN(median([])));
});

t.test('fewer than six samples cannot decide with 95 %', async (t) => {
  t.equal(medianInterval([1, 2, 3, 4, 5]), null);
  t.same(medianInterval([6, 2, 3, 5, 4, 1]), { low: 1, high: 6 });
});

t.test('more samples leave the outermost out', async (t) => {
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
  // From the table of David and Nagaraja: ranks 1 and 8, 2 and 8, 2 and 9, 6 and 15.
  t.same(medianInterval(upTo(8)), { low: 1, high: 8 });
  t.same(medianInterval(upTo(9)), { low: 2, high: 8 });
  t.same(medianInterval(upTo(10)), { low: 2, high: 9 });
  t.same(medianInterval(upTo(20)), { low: 6, high: 15 });
});

t.test(`the interval holds the true median as often as it says (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const trials = 4000;
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    // A skewed distribution whose median is 1/4.
    const values = Array.from({ length: 9 }, () => random.next() ** 2);
    const { interval } = estimate(values);
    if (interval !== null && interval.low <= 0.25 && interval.high >= 0.25) held++;
  }
  // 96.1 % for nine samples; four standard deviations of the count are 1.2 %.
  t.ok(held / trials > 0.949, `${held / trials}`);
  t.ok(held / trials < 0.973, `${held / trials}`);
});
