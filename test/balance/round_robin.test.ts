import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';
import { equalMembers, membersOf, policyOf, Situation, tally } from './situation.js';

const POOLS = [[1, 1, 1], [5, 1, 1], [1, 2, 3, 4], [1000, 1], [7], [3, 3, 2, 0, 9]];

t.test('shares are exact over every period, for every seed', async (t) => {
  for (const weights of POOLS) {
    const period = weights.reduce((sum, weight) => sum + weight, 0);
    for (let trial = 0; trial < 20; trial++) {
      const policy = policyOf('round-robin', membersOf(...weights));
      const situation = new Situation(membersOf(...weights));
      const random = seededRandom(trial);
      for (let round = 0; round < 5; round++) {
        t.same(tally(policy, situation, random, period), weights, `${weights}, seed ${trial}`);
      }
    }
  }
});

t.test('a heavy backend is spread over the period, as in the example of nginx', async (t) => {
  const policy = policyOf('round-robin', membersOf(5, 1, 1));
  const situation = new Situation(membersOf(5, 1, 1));
  const random = seededRandom(seed);
  const turns = Array.from({ length: 7 }, () => policy.choose(situation, random)).join('');
  t.ok(['0010200', '0020100'].includes(turns), turns);
});

t.test('equal backends come in strict rotation', async (t) => {
  const policy = policyOf('round-robin', equalMembers(6));
  const situation = new Situation(equalMembers(6));
  const random = seededRandom(seed);
  const first = Array.from({ length: 6 }, () => policy.choose(situation, random));
  const second = Array.from({ length: 6 }, () => policy.choose(situation, random));
  t.same(second, first);
  t.equal(new Set(first).size, 6);
});

t.test('when a heavy backend leaves, the others go on without clumps', async (t) => {
  for (let trial = 0; trial < 50; trial++) {
    const policy = policyOf('round-robin', membersOf(1, 1, 50));
    const situation = new Situation(membersOf(1, 1, 50));
    const random = seededRandom(trial);
    tally(policy, situation, random, trial);
    situation.only(0, 1);
    const turns = Array.from({ length: 10 }, () => policy.choose(situation, random)).join('');
    t.notMatch(turns, /000|111/, `after ${trial} turns`);
  }
});

t.test('credits follow the names when the membership changes', async (t) => {
  const members = membersOf(3, 2, 1);
  const policy = policyOf('round-robin', members);
  const random = seededRandom(seed);
  const half = tally(policy, new Situation(members), random, 3);
  policy.update(members.toReversed());
  const rest = tally(policy, new Situation(members.toReversed()), random, 3).toReversed();
  t.same(
    half.map((count, i) => count + (rest[i] ?? 0)),
    [3, 2, 1],
  );
});

t.test('it foretells the next turn', async (t) => {
  const members = membersOf(1, 2, 3);
  const policy = policyOf('round-robin', members);
  const situation = new Situation(members);
  const random = seededRandom(seed);
  policy.choose(situation, random);
  for (let turn = 0; turn < 30; turn++) {
    if (turn === 15) situation.only(0, 2);
    const sentence = policy.explain(situation);
    t.match(sentence, `is b${policy.choose(situation, random)}'s`);
  }
});
