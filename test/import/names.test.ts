/** What foreign names are called here: always something that the file may have. */
import t from 'tap';
import { backendLabel, Names } from '../../src/import/names.js';

t.test('a backend keeps its name, where that is one', async (t) => {
  const labels = ['m1', '10.0.0.1:80', 'a*', '*1', '*', 'two words', 'ü', ''].map(backendLabel);
  t.same(labels, ['m1', '10.0.0.1:80', 'a*', '*1', 'unnamed', 'two-words', '-', 'unnamed']);
});

t.test('a listener or pool gets the nearest name that is free', async (t) => {
  const names = new Names();
  const taken = ['web', 'web', '*', '_x', 'a b'].map((name) => names.take(name));
  t.same(taken, ['web', 'web-2', 'unnamed', 'x', 'a-b']);
});
