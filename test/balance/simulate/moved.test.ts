import t from 'tap';
import { movedShare } from '../../../src/balance/simulate/moved.js';
import { seededRandom } from '../../../src/core/random.js';
import { policyNamed } from '../../support/policies.js';
import { equalMembers, membersOf } from '../situation.js';

const RANDOM = seededRandom(1);
const MAGLEV = policyNamed('source-hash');
const RING = policyNamed('source-hash', { algorithm: 'ring' });

t.test('a ring moves no other client, Maglev a few', async (t) => {
  const members = equalMembers(10);
  t.equal(movedShare(RING, members, 3, RANDOM), 0);
  const maglev = movedShare(MAGLEV, members, 3, RANDOM);
  t.ok(maglev !== null && maglev > 0 && maglev < 0.05, `${maglev}`);
});

t.test('policies to which all clients are alike have no such share', async (t) => {
  t.equal(movedShare({ name: 'p2c' }, equalMembers(10), 3, RANDOM), null);
});

t.test('no client moves out of a pool that the last member leaves', async (t) => {
  t.equal(movedShare(MAGLEV, membersOf(1, 0), 0, RANDOM), null);
});
