/** Where something stands in a configuration. */
import t from 'tap';
import { formatPath, pathKey } from '../../src/config/path.js';

t.test('a path reads as TOML would write it', async (t) => {
  t.equal(formatPath([]), '');
  t.equal(formatPath(['pools', 'pg', 'backends', 0, 'weight']), 'pools.pg.backends[0].weight');
  t.equal(formatPath(['listeners', 'a b', 'bind', 2]), 'listeners."a b".bind[2]');
  t.equal(formatPath(['', 'x\ny']), '""."x\\ny"', 'it stays on one line');
});

t.test('equal paths have equal keys, and a name is no index', async (t) => {
  t.equal(pathKey(['a', 0]), pathKey(['a', 0]));
  t.not(pathKey(['a', '0']), pathKey(['a', 0]));
});
