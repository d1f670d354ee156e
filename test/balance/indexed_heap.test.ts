import t from 'tap';
import { IndexedHeap } from '../../src/balance/indexed_heap.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

const ITEMS = 40;

t.test(`the first few are those of a sorted list, after any changes (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const keys = Array.from({ length: ITEMS }, () => random.next());
  const heap = new IndexedHeap(ITEMS, (a, b) => (keys[a] ?? 0) < (keys[b] ?? 0));
  const known = new Set<number>();
  const few = new Int32Array(3);
  for (let change = 0; change < 5000; change++) {
    const item = below(random, ITEMS);
    if (!known.has(item)) {
      heap.add(item);
      known.add(item);
    } else if (below(random, 3) === 0) {
      heap.remove(item);
      known.delete(item);
    } else {
      keys[item] = random.next();
      heap.moved(item);
    }
    const sorted = [...known].sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
    const found = heap.firstFew(few);
    t.same([...few.subarray(0, found)], sorted.slice(0, 3));
    t.equal(heap.first, sorted[0] ?? -1);
    t.equal(heap.size, sorted.length);
  }
});

t.test('many are brought in order at once, in a number of looks that is linear', async (t) => {
  let looks = 0;
  const heap = new IndexedHeap(4096, (a, b) => {
    looks++;
    return a > b;
  });
  for (let item = 0; item < 4096; item++) heap.addUnordered(item);
  heap.order();
  t.equal(heap.first, 4095);
  t.ok(looks <= 2 * 4096, `${looks} looks`);
});

t.test('what is not in it may be removed, or may move, without effect', async (t) => {
  const heap = new IndexedHeap(3, (a, b) => a < b);
  heap.add(1);
  heap.remove(2);
  heap.moved(0);
  t.equal(heap.size, 1);
  t.ok(heap.has(1));
  t.notOk(heap.has(2));
});
