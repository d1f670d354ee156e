import t from 'tap';
import { spreadOf } from '../../src/control/evenness.js';

t.test('the spread is the greatest, whose it is, and the middle of those known', async (t) => {
  t.same(spreadOf(['a', 'b', 'c', 'd'], [1, 9, null, 2]), {
    greatest: 9,
    median: 2,
    backend: 'b',
  });
  t.same(spreadOf(['a', 'b'], [2, 4]), { greatest: 4, median: 3, backend: 'b' });
});

t.test('one backend alone is even', async (t) => {
  t.equal(spreadOf(['a', 'b'], [3, null]), null);
  t.equal(spreadOf([], []), null);
});
