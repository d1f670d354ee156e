import t from 'tap';
import { carryByName } from '../../src/balance/carry.js';
import { equalMembers } from './situation.js';

t.test('values follow names into a new order; newcomers get the fresh value', async (t) => {
  const [a, b, c] = equalMembers(3);
  if (!a || !b || !c) throw new Error('three members were asked for');
  const carried = carryByName([a, b], Float64Array.of(5, 7), [c, b, a], -1);
  t.same([...carried], [-1, 7, 5]);
});
