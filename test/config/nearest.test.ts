/** The known word that was most likely meant. */
import t from 'tap';
import { bySimilarity, editDistance, isSimilar } from '../../src/config/nearest.js';

t.test('an insertion, a deletion, a substitution and a swap are one edit each', async (t) => {
  const table = [
    ['', '', 0],
    ['', 'abc', 3],
    ['bind', 'bind', 0],
    ['bnd', 'bind', 1],
    ['biind', 'bind', 1],
    ['bond', 'bind', 1],
    ['bnid', 'bind', 1],
    ['kitten', 'sitting', 3],
  ] as const;
  for (const [a, b, distance] of table) {
    t.equal(editDistance(a, b), distance, `${a} ${b}`);
    t.equal(editDistance(b, a), distance, `${b} ${a}`);
  }
});

t.test('the most similar word comes first, and a beginning counts as similar', async (t) => {
  const known = ['user', 'path', 'password_env', 'password_file', 'database'];
  t.equal(bySimilarity('password', known)[0], 'password_env');
  t.equal(bySimilarity('pth', known)[0], 'path');
  t.strictSame([...bySimilarity('x', known)].sort(), [...known].sort(), 'none is lost');
});

t.test('only a slip counts as similar', async (t) => {
  t.ok(isSimilar('enigne', 'engine'));
  t.ok(isSimilar('max_conections', 'max_connections'));
  t.ok(isSimilar('password', 'password_file'));
  t.notOk(isSimilar('weight', 'health'));
  t.notOk(isSimilar('', 'bind'));
  t.notOk(isSimilar('b'.repeat(100_000), 'b'.repeat(99_999)), 'the work has a limit');
});
