import t from 'tap';
import { WeightedDraw } from '../../src/balance/weighted_draw.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';
import { chiSquare, chiSquareLimit, equalMembers, membersOf, Situation } from './situation.js';

const DRAWS = 30_000;

t.test(`draws follow the weights (SEED=${seed})`, async (t) => {
  for (const weights of [
    [1, 1, 1, 1],
    [5, 1, 2, 0.5],
    [1000, 1],
  ]) {
    const random = seededRandom(seed);
    const draw = new WeightedDraw(weights.length, new Situation(membersOf(...weights)));
    const counts = weights.map(() => 0);
    for (let i = 0; i < DRAWS; i++) {
      const member = draw.draw(random);
      counts[member] = (counts[member] ?? 0) + 1;
    }
    const found = chiSquare(counts, weights);
    t.ok(found < chiSquareLimit(weights.length - 1), `${weights}: ${counts}: ${found.toFixed(1)}`);
  }
});

t.test(`the second draw follows the remaining weights (SEED=${seed})`, async (t) => {
  const cases: readonly (readonly [number[], number, number[]])[] = [
    [[1, 1, 1, 1], 2, [1, 1, 0, 1]],
    [[5, 1, 2, 0.5], 0, [0, 1, 2, 0.5]],
    [[5, 1, 2, 0.5], 3, [5, 1, 2, 0]],
  ];
  for (const [weights, taken, expected] of cases) {
    const random = seededRandom(seed);
    const draw = new WeightedDraw(weights.length, new Situation(membersOf(...weights)));
    const counts = weights.map(() => 0);
    for (let i = 0; i < DRAWS; i++) {
      const member = draw.drawOther(random, taken);
      counts[member] = (counts[member] ?? 0) + 1;
    }
    const found = chiSquare(counts, expected);
    t.ok(found < chiSquareLimit(weights.length - 2), `${weights} without ${taken}: ${counts}`);
  }
});

t.test(`draws follow members that come, go and change their weight (SEED=${seed})`, async (t) => {
  const situation = new Situation(membersOf(1, 1, 1, 1, 1)).only(0, 1, 3);
  const draw = new WeightedDraw(5, situation);
  situation.only(0, 3, 4);
  situation.weight.set([3, 9, 9, 0.5, 2]);
  for (const member of [0, 1, 3, 4]) draw.follow(member);
  const random = seededRandom(seed);
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < DRAWS; i++) {
    const member = draw.draw(random);
    counts[member] = (counts[member] ?? 0) + 1;
  }
  t.ok(chiSquare(counts, [3, 0, 0, 0.5, 2]) < chiSquareLimit(2), `${counts}`);
});

t.test('a draw at the very end of the range stays with a member that has a weight', async (t) => {
  const end = { next: () => 1 - 2 ** -53 };
  const draw = new WeightedDraw(4, new Situation(membersOf(0.1, 0.2, 0.3, 0)));
  t.equal(draw.draw(end), 2);
  t.equal(draw.drawOther(end, 2), 1);
});

t.test(`fractions are never rounded to the one that is taken (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const weights = Array.from({ length: 5 }, () => Math.round(random.next() * 1e6) / 1000);
    const situation = new Situation(membersOf(...weights));
    const draw = new WeightedDraw(5, situation);
    for (const next of [0, 2 ** -53, 0.5, 1 - 2 ** -53]) {
      for (let taken = 0; taken < 5; taken++) {
        t.not(draw.drawOther({ next: () => next }, taken), taken, `${weights} without ${taken}`);
      }
    }
    situation.weight.fill(1);
    for (let member = 0; member < 5; member++) draw.follow(member);
    t.ok(draw.isEven, `of ${weights} nothing stays behind`);
  }
});

t.test('only candidates are drawn', async (t) => {
  const draw = new WeightedDraw(9, new Situation(equalMembers(9)).only(4, 8));
  const random = seededRandom(seed);
  for (let i = 0; i < 100; i++) {
    const member = draw.draw(random);
    t.ok(member === 4 || member === 8);
    t.equal(draw.drawOther(random, member), 12 - member);
  }
});

t.test('the second draw is another one, also when the others have no weight', async (t) => {
  for (const weights of [
    [1, 0, 0],
    [0, 0, 1],
    [0, 0, 0],
  ]) {
    const draw = new WeightedDraw(3, new Situation(membersOf(...weights)));
    for (const taken of [0, 1, 2]) {
      for (let i = 0; i < 20; i++) t.not(draw.drawOther(seededRandom(seed + i), taken), taken);
    }
  }
});

t.test('a draw among more, long ago, does not bring back the member that is taken', async (t) => {
  const situation = new Situation(membersOf(1, 1, 1)).only(1, 2, 0);
  const draw = new WeightedDraw(3, situation);
  t.equal(draw.draw({ next: () => 0.99 }), 0, 'found at the end');
  situation.only(0, 1);
  situation.eligible[2] = 0;
  situation.weight[1] = 0;
  for (const member of [0, 1, 2]) draw.follow(member);
  for (const next of [0, 0.5, 0.99]) t.equal(draw.drawOther({ next: () => next }, 0), 1);
});

t.test(`a draw knows whether all weigh the same, after any changes (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const situation = new Situation(membersOf(1, 1, 1, 1));
  const draw = new WeightedDraw(4, situation);
  t.ok(draw.isEven);
  let [even, uneven] = [0, 0];
  for (let change = 0; change < 400; change++) {
    const member = below(random, 4);
    const there = [0, 1, 2, 3].filter((each) => situation.has(each));
    const isThere = there.includes(member);
    if (below(random, 2) === 0) situation.weight[member] = below(random, 3);
    else if (!isThere) situation.only(...there, member);
    else if (there.length > 1) situation.only(...there.filter((each) => each !== member));
    draw.follow(member);
    const weights = Array.from({ length: situation.count }, (_, at) =>
      situation.weightOf(situation.at(at)),
    );
    const isEven = weights.every((weight) => weight > 0 && weight === weights[0]);
    t.equal(draw.isEven, isEven, `${weights}`);
    if (isEven) even++;
    else uneven++;
    const first = draw.draw(random);
    t.ok(situation.has(first), `${first} is a candidate`);
    if (situation.count > 1) {
      const other = draw.drawOther(random, first);
      t.ok(other !== first && situation.has(other), `${other} is another one than ${first}`);
    }
  }
  // 116 are even, with a standard deviation of 20.
  t.ok(even > 5 && uneven > 5, `${even} and ${uneven}`);
});

t.test('members of equal weight are drawn as by weight, number for number', async (t) => {
  const [even, byWeight] = [equalMembers(7), membersOf(1, 1, 1, 1, 1, 1, 1, 1e-12)];
  const draw = new WeightedDraw(7, new Situation(even));
  const weighted = new WeightedDraw(8, new Situation(byWeight));
  const [one, other] = [seededRandom(seed), seededRandom(seed)];
  for (let i = 0; i < 500; i++) {
    const first = draw.draw(one);
    t.equal(first, weighted.draw(other));
    t.equal(draw.drawOther(one, first), weighted.drawOther(other, first));
  }
});
