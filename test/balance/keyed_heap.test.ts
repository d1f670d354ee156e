import t from 'tap';
import { KeyedHeap } from '../../src/balance/keyed_heap.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

const ITEMS = 60;

t.test(`the first one is that of a sorted list, after any changes (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const heap = new KeyedHeap(ITEMS);
  const known = new Map<number, readonly [number, number]>();
  const before = ([a, b]: readonly [number, number], [c, d]: readonly [number, number]) =>
    a - c || b - d;
  for (let change = 0; change < 20_000; change++) {
    const item = below(random, ITEMS);
    if (below(random, 4) === 0) {
      heap.remove(item);
      known.delete(item);
    } else {
      // Few first keys, so that the second ones decide as a rule.
      const keys = [below(random, 3), random.next()] as const;
      heap.put(item, ...keys);
      known.set(item, keys);
      if (heap.firstKeyOf(item) !== keys[0]) t.fail('its key');
    }
    const [least] = [...known].sort((a, b) => before(a[1], b[1]));
    if (heap.first !== (least?.[0] ?? -1)) t.fail(`after ${change} changes`);
    if (heap.size !== known.size || heap.has(item) !== known.has(item)) t.fail('who is in it');
  }
  t.pass('it always was');
});

t.test('many are brought in order at once, and leave it in order', async (t) => {
  for (const count of [0, 1, 2, 5, 6, 100]) {
    const random = seededRandom(seed);
    const heap = new KeyedHeap(count);
    const keys = Array.from({ length: count }, () => random.next());
    for (const [item, key] of keys.entries()) heap.putUnordered(item, 0, key);
    heap.order();
    const order: number[] = [];
    for (; heap.first >= 0; heap.remove(heap.first)) order.push(keys[heap.first] ?? 0);
    t.same(
      order,
      keys.sort((a, b) => a - b),
      `of ${count}`,
    );
  }
});

t.test('what is not in it may be removed without effect', async (t) => {
  const heap = new KeyedHeap(3);
  heap.put(1, 0, 0);
  heap.remove(2);
  t.equal(heap.first, 1);
  heap.remove(1);
  t.equal(heap.first, -1);
});
