import t from 'tap';
import { leastTold } from '../../src/balance/load.js';
import { seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';
import {
  chiSquare,
  chiSquareLimit,
  equalMembers,
  membersOf,
  policyOf,
  Situation,
  tally,
} from './situation.js';

const TURNS = 30_000;

t.test('with two backends it takes the lesser load, always', async (t) => {
  const policy = policyOf('p2c', membersOf(1, 3));
  const situation = new Situation(membersOf(1, 3));
  const random = seededRandom(seed);
  situation.active.set([1, 4]); // 2/1 against 5/3
  t.same(tally(policy, situation, random, 200), [0, 200]);
  situation.active.set([1, 6]); // 2/1 against 7/3
  t.same(tally(policy, situation, random, 200), [200, 0]);
});

t.test('the most loaded of many is never chosen', async (t) => {
  const policy = policyOf('p2c', equalMembers(5));
  const situation = new Situation(equalMembers(5));
  situation.active.set([3, 3, 9, 3, 3]);
  t.equal(tally(policy, situation, seededRandom(seed), 2000)[2], 0);
});

t.test(`at equal loads shares follow the weights (SEED=${seed})`, async (t) => {
  const weights = [1, 2, 3, 4];
  const policy = policyOf('p2c', membersOf(...weights));
  const situation = new Situation(membersOf(...weights));
  situation.active.set(weights.map((weight) => 10 * weight - 1));
  const counts = tally(policy, situation, seededRandom(seed), TURNS);
  t.ok(chiSquare(counts, weights) < chiSquareLimit(3), `${counts}`);
});

t.test(
  `the idlest is chosen whenever one of two distinct draws hits it (SEED=${seed})`,
  async (t) => {
    const weights = [1, 2, 3, 4];
    const policy = policyOf('p2c', membersOf(...weights));
    const situation = new Situation(membersOf(...weights));
    situation.active.set([0, 99, 99, 99]);
    const [hits = 0] = tally(policy, situation, seededRandom(seed), TURNS);
    // First 1/10; or another first, and then 1 of what that leaves.
    const expected = 0.1 + (2 / 10) * (1 / 8) + (3 / 10) * (1 / 7) + (4 / 10) * (1 / 6);
    const shares = [expected, 1 - expected];
    t.ok(
      chiSquare([hits, TURNS - hits], shares) < chiSquareLimit(1),
      `${hits / TURNS}: ${expected}`,
    );
  },
);

t.test('it explains with the load that leads, a tie, and what a draw has met', async (t) => {
  const members = membersOf(1, 1, 1);
  const policy = policyOf('p2c', members);
  const situation = new Situation(members);
  situation.active.set([4, 1, 3]);
  t.equal(
    policy.explain(situation),
    'Takes the lesser load of two draws among 3 eligible backends; ' +
      'the least is b1 (load 2.00: 1 active + 1 over weight 1).',
  );
  const cost = (member: number) => situation.activeOf(member);
  t.equal(
    leastTold(situation, cost, 2, (member) => `b${member}`),
    'the least is b1; this draw met b2, the next may differ',
  );
  situation.active.set([2, 2, 5]);
  t.match(policy.explain(situation), /; 2 of them tie for the least, and the draw takes b[01] /);
  situation.active.set([2, 2, 2]);
  const both = situation.only(0, 1);
  t.match(policy.explain(both), /the lesser load of both among 2 .*; all of them tie, .* b[01] /);
  t.match(policy.explain(situation.only(0)), /^b0 .* is the only eligible backend\.$/);
});
