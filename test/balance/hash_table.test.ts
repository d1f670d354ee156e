import t from 'tap';
import { placedMembers } from '../../src/balance/hash_table.js';

t.test('members with a weight are placed, by name', async (t) => {
  const members = [
    { name: 'c', weight: 1 },
    { name: 'a', weight: 2 },
    { name: 'b', weight: 0 },
  ];
  t.same(placedMembers(members), [1, 0]);
});
