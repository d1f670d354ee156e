/** Which values of a file count as broken. */
import t from 'tap';
import { BrokenPlaces } from '../../src/config/broken.js';

t.test('a value is broken where it stands, or with a table around it', async (t) => {
  const broken = new BrokenPlaces([
    ['a', 0],
    ['b', 'c'],
  ]);
  t.ok(broken.holds(['a', 0]));
  t.ok(broken.holds(['a', 0, 'x', 'y']));
  t.ok(broken.holds(['b', 'c', 1]));
  t.notOk(broken.holds(['a']));
  t.notOk(broken.holds(['a', '0']), 'a name is no index');
  t.notOk(broken.holds(['b', 'd']));
  t.notOk(new BrokenPlaces([]).holds(['a']));
  t.ok(new BrokenPlaces([[]]).holds(['a']), 'the whole file');
});
