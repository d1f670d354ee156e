import t from 'tap';
import { Values } from '../../src/control/evenness.js';

function spreadOf(names: readonly string[], values: readonly (number | null)[]) {
  const known = new Values(names.length);
  for (const [index, value] of values.entries()) known.add(value, { name: names[index] ?? '' });
  return known.spread();
}

t.test('the spread is the greatest, whose it is, and the middle of those known', async (t) => {
  t.same(spreadOf(['a', 'b', 'c', 'd'], [1, 9, null, 2]), {
    greatest: 9,
    median: 2,
    backend: 'b',
  });
  t.same(spreadOf(['a', 'b'], [2, 4]), { greatest: 4, median: 3, backend: 'b' });
});

t.test('of those that have the greatest it is that of the first', async (t) => {
  t.same(spreadOf(['a', 'b', 'c'], [0, 5, 5]), { greatest: 5, median: 5, backend: 'b' });
  t.same(spreadOf(['a', 'b'], [0, 0]), { greatest: 0, median: 0, backend: 'a' });
});

t.test('numbers are sorted as numbers', async (t) => {
  t.equal(spreadOf(['a', 'b', 'c'], [10, 9, 100])?.median, 10);
});

t.test('one backend alone is even', async (t) => {
  t.equal(spreadOf(['a', 'b'], [3, null]), null);
  t.equal(spreadOf([], []), null);
});
