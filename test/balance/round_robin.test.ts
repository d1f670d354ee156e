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

t.test('a heavy backend is spread over the period, among many or few others', async (t) => {
  const light = (count: number): number[] => Array.from({ length: count }, () => 1);
  const rows = [
    { weights: [5, 1, 1], longestRun: 3 },
    { weights: [10, ...light(10)], longestRun: 3 },
    { weights: [3, 3, ...light(6)], longestRun: 2 },
    { weights: [100, ...light(3)], longestRun: 50 },
  ];
  for (const { weights, longestRun } of rows) {
    const period = weights.reduce((sum, weight) => sum + weight, 0);
    for (let trial = 0; trial < 20; trial++) {
      const policy = policyOf('round-robin', membersOf(...weights));
      const situation = new Situation(membersOf(...weights));
      const random = seededRandom(trial);
      let [run, longest, last] = [0, 0, -1];
      for (let turn = 0; turn < 3 * period; turn++) {
        const chosen = policy.choose(situation, random);
        run = chosen === last ? run + 1 : 1;
        longest = Math.max(longest, run);
        last = chosen;
      }
      t.ok(longest <= longestRun, `${weights}, seed ${trial}: ${longest} in a row`);
    }
  }
});

t.test('a backend that is away for a while changes no turn of the others', async (t) => {
  const members = membersOf(2, 1, 3, 1);
  const policy = policyOf('round-robin', members);
  const situation = new Situation(members);
  const random = seededRandom(seed);
  const order = (): string[] =>
    Array.from({ length: 14 }, () => String(policy.choose(situation, random)));
  const all = order().filter((member) => member !== '2');
  situation.only(0, 1, 3);
  const rest = Array.from({ length: 8 }, () => String(policy.choose(situation, random)));
  t.same(rest, all);
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
