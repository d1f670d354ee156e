/** Where something stands in a configuration. */
import t from 'tap';
import { formatPath, pathKey, startsWith } from '../../src/config/path.js';

t.test('a path reads as TOML would write it', async (t) => {
  t.equal(formatPath([]), '');
  t.equal(formatPath(['pools', 'pg', 'backends', 0, 'weight']), 'pools.pg.backends[0].weight');
  t.equal(formatPath(['listeners', 'a b', 'bind', 2]), 'listeners."a b".bind[2]');
  t.equal(formatPath(['', 'x\ny']), '""."x\\ny"', 'it stays on one line');
});

t.test('a path lies below its beginnings only', async (t) => {
  t.ok(startsWith(['a', 0, 'b'], []));
  t.ok(startsWith(['a', 0, 'b'], ['a', 0]));
  t.ok(startsWith(['a'], ['a']));
  t.notOk(startsWith(['a'], ['a', 0]));
  t.notOk(startsWith(['a', '0'], ['a', 0]));
  t.not(pathKey(['a', '0']), pathKey(['a', 0]));
});
