import t from 'tap';
import { SumTree } from '../../src/balance/sum_tree.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

t.test(`a point belongs to whose share holds it, after any changes (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (const size of [1, 2, 3, 7, 8, 33]) {
    const tree = new SumTree(size);
    const shares = Array.from({ length: size }, () => 0);
    for (let change = 0; change < 300; change++) {
      const at = below(random, size);
      // Whole numbers: the sums of this test are then as exact as those of the tree.
      shares[at] = below(random, 3) === 0 ? 0 : below(random, 1000);
      tree.set(at, shares[at] ?? 0);
      const total = shares.reduce((sum, share) => sum + share, 0);
      t.equal(tree.total, total);
      if (total === 0) continue;
      const point = random.next() * total;
      let [owner, before] = [0, shares[0] ?? 0];
      while (before <= point) before += shares[++owner] ?? 0;
      t.equal(tree.find(point), owner, `${point} of ${shares}`);
      t.equal(tree.before(owner), before - (shares[owner] ?? 0));
      t.equal(tree.shareOf(owner), shares[owner]);
    }
  }
});

t.test('filling is the same as setting each', async (t) => {
  const shares = Float64Array.of(3, 0, 1, 4, 1, 5);
  const [filled, set] = [new SumTree(6), new SumTree(6)];
  filled.set(2, 9);
  filled.fill(shares);
  for (const [at, share] of shares.entries()) set.set(at, share);
  t.equal(filled.total, 14);
  for (let point = 0; point < 14; point += 0.5) t.equal(filled.find(point), set.find(point));
});

t.test('fractions do not drift', async (t) => {
  const tree = new SumTree(5);
  const random = seededRandom(1);
  for (let change = 0; change < 10_000; change++) tree.set(below(random, 5), 1e9 * random.next());
  for (const at of [0, 1, 2, 3, 4]) tree.set(at, at === 3 ? 0.1 : 0);
  t.equal(tree.total, 0.1);
  t.equal(tree.find(0.1), 3, 'also at the very end');
});
