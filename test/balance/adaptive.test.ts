import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';
import {
  chiSquare,
  chiSquareLimit,
  equalMembers,
  policyOf,
  Situation,
  tally,
} from './situation.js';

const TURNS = 20_000;

t.test(`it draws among the best three in proportion to 1/cost (SEED=${seed})`, async (t) => {
  const policy = policyOf('adaptive', equalMembers(5));
  const situation = new Situation(equalMembers(5));
  situation.active.set([9, 3, 1, 7, 0]);
  const counts = tally(policy, situation, seededRandom(seed), TURNS);
  t.equal(counts[0], 0);
  t.equal(counts[3], 0);
  const shares = [0, 1 / 4, 1 / 2, 0, 1];
  t.ok(chiSquare(counts, shares) < chiSquareLimit(2), `${counts}`);
});

t.test(`latency, load and failures multiply (SEED=${seed})`, async (t) => {
  const policy = policyOf('adaptive', equalMembers(3));
  const situation = new Situation(equalMembers(3));
  situation.active.set([1, 0, 0]);
  situation.latencyMs.set([10, 40, 10]);
  situation.failureRate.set([0, 0, 0.5]);
  // Costs 2 × 10, 1 × 40 and 1 × 10 / 0.25.
  const counts = tally(policy, situation, seededRandom(seed), TURNS);
  t.ok(chiSquare(counts, [2, 1, 1]) < chiSquareLimit(2), `${counts}`);
});

t.test(`unknown latency counts as the mean of the known (SEED=${seed})`, async (t) => {
  const policy = policyOf('adaptive', equalMembers(3));
  const situation = new Situation(equalMembers(3));
  situation.latencyMs.set([10, 30, 0]);
  const counts = tally(policy, situation, seededRandom(seed), TURNS);
  t.ok(chiSquare(counts, [1 / 10, 1 / 30, 1 / 20]) < chiSquareLimit(2), `${counts}`);
});

t.test('a backend that fails every session fast is not a hole that draws them all', async (t) => {
  const policy = policyOf('adaptive', equalMembers(3));
  const situation = new Situation(equalMembers(3));
  situation.active.set([20, 20, 0]);
  situation.latencyMs.set([10, 10, 1]);
  situation.failureRate.set([0, 0, 1]);
  const counts = tally(policy, situation, seededRandom(seed), TURNS);
  t.ok((counts[2] ?? 0) < TURNS / 2, `${counts}`);
});

t.test('idle equals are all used, not only three of them', async (t) => {
  const policy = policyOf('adaptive', equalMembers(12));
  const counts = tally(policy, new Situation(equalMembers(12)), seededRandom(seed), 1200);
  // A hundred each, with a standard deviation of 9.6.
  t.ok(Math.min(...counts) > 30 && Math.max(...counts) < 170, `${counts}`);
});

t.test('it explains the figures of the best', async (t) => {
  const policy = policyOf('adaptive', equalMembers(4));
  const situation = new Situation(equalMembers(4));
  situation.active.set([3, 1, 3, 3]);
  situation.latencyMs[1] = 2.345;
  situation.failureRate[1] = 0.1;
  t.equal(
    policy.explain(situation),
    'Draws among the best 3 of 4 eligible backends; ' +
      'the best is b1 (load 2.00, 2.35 ms, 10 % failed).',
  );
});
