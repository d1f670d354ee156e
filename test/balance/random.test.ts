import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';
import { chiSquare, chiSquareLimit, membersOf, policyOf, Situation, tally } from './situation.js';

t.test(`shares follow effective weights, whatever the load (SEED=${seed})`, async (t) => {
  const policy = policyOf('random', membersOf(1, 2, 3, 4));
  const situation = new Situation(membersOf(1, 2, 3, 4));
  situation.weight.set([1, 2, 3, 0.4]);
  situation.active.set([100, 0, 0, 0]);
  const counts = tally(policy, situation, seededRandom(seed), 50_000);
  t.ok(chiSquare(counts, [1, 2, 3, 0.4]) < chiSquareLimit(3), `${counts}`);
});
