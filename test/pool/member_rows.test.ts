import t from 'tap';
import { MemberRows } from '../../src/pool/member_rows.js';

t.test('each member has its row, whether they follow each other or not', async (t) => {
  for (const rows of [[7, 8, 9], [7, 9, 8], [3], []]) {
    const known = new MemberRows(Int32Array.from(rows));
    t.same(
      rows.map((_, member) => known.at(member)),
      rows,
    );
  }
});
