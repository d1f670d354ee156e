import t from 'tap';
import type { BackendId } from '../../src/core/brand.js';
import { RowIndex } from '../../src/pool/row_index.js';

const ROWS: readonly (readonly number[])[] = [
  [],
  [0],
  [9_000],
  [4, 5, 6, 7],
  [5, 6, 7, 4],
  [3, 16_000],
  [100, 2, 50],
];

t.test('every row leads to its member, and no other does', async (t) => {
  for (const rows of ROWS) {
    const index = new RowIndex(rows.map((row) => row as BackendId));
    for (const row of [0, 1, 2, 3, 4, 5, 6, 7, 8, 50, 100, 9_000, 16_000, 32_000]) {
      t.equal(index.memberAt(row as BackendId), rows.indexOf(row), `${row} of ${rows}`);
    }
  }
});
