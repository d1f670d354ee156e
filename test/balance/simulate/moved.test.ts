import t from 'tap';
import { movedShare } from '../../../src/balance/simulate/moved.js';
import { seededRandom } from '../../../src/core/random.js';
import { equalMembers, HASH, membersOf } from '../situation.js';

const RANDOM = seededRandom(1);

t.test('a ring moves nobody else, Maglev a few', async (t) => {
  const members = equalMembers(10);
  t.equal(movedShare('source-hash', members, 3, { ...HASH, algorithm: 'ring' }, RANDOM), 0);
  const maglev = movedShare('source-hash', members, 3, HASH, RANDOM);
  t.ok(maglev !== null && maglev > 0 && maglev < 0.05, `${maglev}`);
});

t.test('policies to which all clients are alike have no such share', async (t) => {
  t.equal(movedShare('p2c', equalMembers(10), 3, HASH, RANDOM), null);
});

t.test('nobody moves out of a pool that the last one leaves', async (t) => {
  t.equal(movedShare('source-hash', membersOf(1, 0), 0, HASH, RANDOM), null);
});
