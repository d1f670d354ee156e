import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';
import { equalMembers, membersOf, policyOf, Situation, tally } from './situation.js';

t.test(
  `a burst does not herd: max - min is 1 at most, after each session (SEED=${seed})`,
  async (t) => {
    const members = equalMembers(7);
    const policy = policyOf('least-connections', members);
    const situation = new Situation(members);
    const random = seededRandom(seed);
    let worst = 0;
    for (let turn = 0; turn < 1000; turn++) {
      situation.take(policy, random);
      worst = Math.max(worst, Math.max(...situation.active) - Math.min(...situation.active));
    }
    t.equal(worst, 1);
  },
);

t.test('a burst fills in proportion to weight', async (t) => {
  const members = membersOf(1, 2, 5);
  const policy = policyOf('least-connections', members);
  const situation = new Situation(members);
  for (let turn = 0; turn < 800; turn++) situation.take(policy, seededRandom(seed));
  t.same([...situation.active], [100, 200, 500]);
});

t.test('idle backends are used in turn, though none is ever busy', async (t) => {
  const policy = policyOf('least-connections', equalMembers(4));
  const counts = tally(policy, new Situation(equalMembers(4)), seededRandom(seed), 400);
  t.same(counts, [100, 100, 100, 100]);
});

t.test('the turn goes on when another backend joins', async (t) => {
  const members = equalMembers(3);
  const policy = policyOf('least-connections', members);
  const random = seededRandom(seed);
  const before = new Situation(members);
  const [first, second, third] = [1, 2, 3].map(() => policy.choose(before, random));
  const newcomer = { name: 'new', weight: 1 };
  policy.update([newcomer, ...members]);
  const after = new Situation([newcomer, ...members]);
  const turns = [1, 2, 3, 4].map(() => policy.choose(after, random) - 1);
  t.same(turns, [-1, first, second, third]);
});

t.test('it explains the least, or how many tie', async (t) => {
  const members = equalMembers(3);
  const policy = policyOf('least-connections', members);
  const situation = new Situation(members);
  situation.active.set([2, 1, 2]);
  t.equal(
    policy.explain(situation),
    'Takes the least load of 3 eligible backends: b1 (load 2.00: 1 active + 1 over weight 1).',
  );
  situation.active.set([1, 1, 2]);
  t.match(policy.explain(situation), /^Goes round 2 of 3 eligible backends that tie/);
});
