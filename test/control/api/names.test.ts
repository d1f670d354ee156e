/** What requests say of names that name something else. */
import t from 'tap';
import { poolInstead } from '../../../src/control/api/names.js';

const detail = (names: readonly string[]): string => poolInstead('pg', names).detail;

t.test('a pool in the place of a backend is answered with how to ask', async (t) => {
  t.equal(
    detail(['a', 'b', 'a']),
    'pg is a pool: `sluice ctl pools` says how it is, and `sluice ctl why pg/a` how one of its ' +
      'backends is (pg/a, pg/b).',
  );
  t.match(detail(['a', 'b', 'c', 'd', 'e', 'f']), '(pg/a, pg/b, pg/c, pg/d, pg/e …).');
  t.equal(detail([]), 'pg is a pool: `sluice ctl pools` says how it is; it has no backends.');
});
