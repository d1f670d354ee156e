import t from 'tap';
import { Recency } from '../../src/balance/recency.js';
import { seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';
import { equalMembers } from './situation.js';

t.test('the member that was chosen longest ago goes first, or one never chosen', async (t) => {
  const recency = new Recency(equalMembers(3));
  recency.admit(seededRandom(seed));
  recency.chosen(0);
  recency.chosen(1);
  t.ok(recency.isBefore(0, 1));
  t.ok(recency.isBefore(2, 0));
  recency.chosen(0);
  t.ok(recency.isBefore(1, 0));
});

t.test('the order survives a change of the membership', async (t) => {
  const [a, b, c] = equalMembers(3);
  if (!a || !b || !c) throw new Error('three members were asked for');
  const recency = new Recency([a, b]);
  recency.admit(seededRandom(seed));
  recency.chosen(0);
  recency.chosen(1);
  recency.update([c, b, a]);
  recency.admit(seededRandom(seed));
  t.ok(recency.isBefore(2, 1), 'a before b');
  t.ok(recency.isBefore(0, 2), 'the newcomer before both');
});
