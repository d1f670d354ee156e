import t from 'tap';
import { WeightedDraw } from '../../src/balance/weighted_draw.js';
import { seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';
import { chiSquare, chiSquareLimit, equalMembers, membersOf, Situation } from './situation.js';

const DRAWS = 30_000;

t.test(`draws follow the weights (SEED=${seed})`, async (t) => {
  for (const weights of [
    [1, 1, 1, 1],
    [5, 1, 2, 0.5],
    [1000, 1],
  ]) {
    const situation = new Situation(membersOf(...weights));
    const random = seededRandom(seed);
    const draw = new WeightedDraw();
    const counts = weights.map(() => 0);
    for (let i = 0; i < DRAWS; i++) {
      draw.weigh(situation);
      const position = draw.draw(situation, random);
      counts[position] = (counts[position] ?? 0) + 1;
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
    const situation = new Situation(membersOf(...weights));
    const random = seededRandom(seed);
    const draw = new WeightedDraw();
    draw.weigh(situation);
    const counts = weights.map(() => 0);
    for (let i = 0; i < DRAWS; i++) {
      const position = draw.drawOther(situation, random, taken);
      counts[position] = (counts[position] ?? 0) + 1;
    }
    const found = chiSquare(counts, expected);
    t.ok(found < chiSquareLimit(weights.length - 2), `${weights} without ${taken}: ${counts}`);
  }
});

t.test('a draw at the very end of the range stays with who has a weight', async (t) => {
  const end = { next: () => 1 - 2 ** -53 };
  const situation = new Situation(membersOf(0.1, 0.2, 0.3, 0));
  const draw = new WeightedDraw();
  draw.weigh(situation);
  t.equal(draw.draw(situation, end), 2);
  t.equal(draw.drawOther(situation, end, 2), 1);
});

t.test('positions are among the eligible, not among all', async (t) => {
  const situation = new Situation(equalMembers(9)).only(4, 8);
  const draw = new WeightedDraw();
  draw.weigh(situation);
  const random = seededRandom(seed);
  for (let i = 0; i < 100; i++) {
    const position = draw.draw(situation, random);
    t.equal(draw.drawOther(situation, random, position), 1 - position);
  }
});

t.test('the second draw is another one, also when the others have no weight', async (t) => {
  const draw = new WeightedDraw();
  for (const weights of [
    [1, 0, 0],
    [0, 0, 1],
  ]) {
    const situation = new Situation(membersOf(...weights));
    draw.weigh(situation);
    const taken = weights.indexOf(1);
    t.not(draw.drawOther(situation, seededRandom(seed), taken), taken);
  }
});
