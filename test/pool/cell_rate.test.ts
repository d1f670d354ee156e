/** Rates by one time: never one more, in any order of the clock. */
import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import {
  giveBack,
  nsOf,
  type Rate,
  rateASecond,
  rateOf,
  tryCome,
  waitNs,
} from '../../src/pool/cell_rate.js';
import { seed } from '../support/seed.js';

/** When those came that were let in, of a client that tries at each of `timesMs`. */
function cameAt(rate: Rate, timesMs: readonly number[]): number[] {
  const cell = new BigInt64Array(1);
  return timesMs.filter((ms) => tryCome(cell, 0, rate, nsOf(ms)));
}

t.test('a burst comes at once, and then one an interval', async (t) => {
  const rate = rateOf(20, 1_000, 3);
  const every10Ms = Array.from({ length: 31 }, (_, index) => 1_000 + 10 * index);
  const came = cameAt(rate, [1_000, 1_000, 1_000, 1_000, ...every10Ms]);
  t.same(came, [1_000, 1_000, 1_000, 1_050, 1_100, 1_150, 1_200, 1_250, 1_300]);
});

t.test('one that need not have come leaves the time as it was, never an earlier one', async (t) => {
  const rate = rateOf(3, 60_000, 3);
  const cell = new BigInt64Array(1);
  const comes = (ms: number): boolean => tryCome(cell, 0, rate, nsOf(ms));
  for (let n = 0; n < 9; n++) {
    t.ok(comes(1_000 + n), 'it has no turn less');
    giveBack(cell, 0, rate, nsOf(1_000 + n), nsOf(1_001 + n));
  }
  t.same([1_010, 1_010, 1_010, 1_010].map(comes), [true, true, true, false]);

  const random = seededRandom(seed);
  const [withThem, without] = [new BigInt64Array(1), new BigInt64Array(1)];
  let late: { cameMs: number; backMs: number }[] = [];
  for (let ms = 1_000; ms < 4_000_000; ms += 15_000 * random.next()) {
    const now = ms;
    for (const { cameMs, backMs } of late) {
      if (backMs <= now) giveBack(withThem, 0, rate, nsOf(cameMs), nsOf(now));
    }
    late = late.filter(({ backMs }) => backMs > now);
    if (random.next() < 0.5 && tryCome(withThem, 0, rate, nsOf(now))) {
      late.push({ cameMs: now, backMs: now + 40_000 * random.next() });
    } else if (tryCome(withThem, 0, rate, nsOf(now))) {
      t.ok(tryCome(without, 0, rate, nsOf(now)), 'it would have come without them, too');
    }
  }
});

t.test('one that waits as long as it is told comes then, and not before', async (t) => {
  const cell = new BigInt64Array(1);
  const rate = rateOf(3, 1_000, 1);
  t.ok(tryCome(cell, 0, rate, nsOf(5_000)));
  const wait = waitNs(cell, 0, rate, nsOf(5_000));
  t.notOk(tryCome(cell, 0, rate, nsOf(5_000) + wait - 1n));
  t.ok(tryCome(cell, 0, rate, nsOf(5_000) + wait));
});

t.test(`in no second more than the limit, and nearly as many (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (const count of [1, 2, 7, 25, 26, 50, 99, 100, 1_000, 20_000]) {
    const rate = rateASecond(count);
    // More often than is allowed, and with pauses, after which there is a burst.
    const timesMs: number[] = [];
    for (let ms = 1_000; ms < 9_000; ms += (1_000 / count) * random.next()) {
      timesMs.push(ms);
      if (random.next() < 1 / count) ms += 300 * random.next();
    }
    const came = cameAt(rate, timesMs);
    let first = 0;
    let most = 0;
    for (let last = 0; last < came.length; last++) {
      while ((came[last] ?? 0) - (came[first] ?? 0) >= 1_000) first++;
      most = Math.max(most, last - first + 1);
    }
    t.ok(most <= count, `${most} of ${count}`);
    const steady = cameAt(
      rate,
      Array.from({ length: 40 * count }, (_, index) => (index * 100) / count),
    );
    t.ok(steady.length >= 4 * count * 0.96 - 1, `${steady.length} in 4 s of ${count}`);
  }
});
