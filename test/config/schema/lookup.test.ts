/** Descriptions by path, and the tables in which a key is known. */
import t from 'tap';
import { describe, homesOf, sections } from '../../../src/config/schema/lookup.js';
import { ROOT } from '../../../src/config/schema/root.js';

t.test('every table of a file is a section, in the order of the file', async (t) => {
  t.strictSame(
    sections(ROOT).map(({ header }) => header),
    [
      'the top of the file',
      '[daemon]',
      '[log]',
      '[admin]',
      '[listeners.NAME]',
      '[[listeners.NAME.routes]]',
      '[listeners.NAME.postgres]',
      '[listeners.NAME.access]',
      '[listeners.NAME.limits]',
      '[pools.NAME]',
      '[pools.NAME.hash]',
      '[pools.NAME.health]',
      '[[pools.NAME.health.steps]]',
      '[pools.NAME.outlier]',
      '[[pools.NAME.backends]]',
      '[[pools.NAME.discovery]]',
    ],
  );
});

t.test('a path leads to its description, or to the last known one on the way', async (t) => {
  const found = (path: readonly (string | number)[]) => {
    const { node, path: known } = describe(ROOT, path);
    return [node.kind, known.length];
  };
  t.strictSame(found([]), ['table', 0]);
  t.strictSame(found(['pools']), ['named', 1]);
  t.strictSame(found(['pools', 'any']), ['table', 2]);
  t.strictSame(found(['pools', 'any', 'backends']), ['listed', 3]);
  t.strictSame(found(['pools', 'any', 'backends', 3, 'weight']), ['leaf', 5]);
  t.strictSame(found(['listeners', 'a', 'bind', 2]), ['leaf', 3]);
  t.strictSame(found(['listeners', 'a', 'bnid']), ['table', 2]);
  t.strictSame(found(['constructor']), ['table', 0]);
});

t.test('a key has its home in the nearest tables first', async (t) => {
  const homes = (key: string, path: readonly (string | number)[]) =>
    homesOf(ROOT, key, path).map(({ header }) => header);
  t.strictSame(homes('max_connections', ['pools', 'pg', 'health', 'max_connections']), [
    '[pools.NAME]',
    '[[pools.NAME.backends]]',
  ]);
  t.strictSame(homes('pool', ['pools', 'pg', 'pool']), [
    '[listeners.NAME]',
    '[[listeners.NAME.routes]]',
  ]);
  t.strictSame(homes('nothing', ['pools', 'pg', 'nothing']), []);
  t.strictSame(homes('constructor', ['constructor']), []);
});
