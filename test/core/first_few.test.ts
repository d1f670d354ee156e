import t from 'tap';
import { FirstFew } from '../../src/core/first_few.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

t.test(`the first few of any stream are those of the sorted one (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 200; round++) {
    const items = Array.from({ length: below(random, 60) }, () => below(random, 40));
    const limit = 1 + below(random, 30);
    const few = new FirstFew<number>(limit, (a, b) => a < b);
    for (const item of items) few.add(item);
    const sorted = items.toSorted((a, b) => a - b).slice(0, limit);
    t.same(
      few.kept.toSorted((a, b) => a - b),
      sorted,
    );
    const taken: number[] = [];
    for (let last = few.takeLast(); last !== undefined; last = few.takeLast()) taken.push(last);
    t.same(taken.reverse(), sorted);
  }
});
