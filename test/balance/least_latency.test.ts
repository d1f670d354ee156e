import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';
import { equalMembers, membersOf, policyOf, Situation, tally } from './situation.js';

t.test('of two, the lesser latency times load wins', async (t) => {
  const policy = policyOf('least-latency', membersOf(1, 2));
  const situation = new Situation(membersOf(1, 2));
  const random = seededRandom(seed);
  situation.latencyMs.set([10, 35]);
  situation.active.set([1, 1]); // 10 × 2 against 35 × 1
  t.same(tally(policy, situation, random, 100), [100, 0]);
  situation.active.set([3, 1]); // 10 × 4 against 35 × 1
  t.same(tally(policy, situation, random, 100), [0, 100]);
});

t.test('the one with the longest wait is never chosen', async (t) => {
  const policy = policyOf('least-latency', equalMembers(5));
  const situation = new Situation(equalMembers(5));
  situation.latencyMs.set([5, 6, 400, 6, 5]);
  t.equal(tally(policy, situation, seededRandom(seed), 2000)[2], 0);
});

t.test('a backend of unknown latency gets its share by load, no more and no less', async (t) => {
  const policy = policyOf('least-latency', equalMembers(2));
  const situation = new Situation(equalMembers(2));
  const random = seededRandom(seed);
  situation.latencyMs.set([0, 20]);
  for (let turn = 0; turn < 100; turn++) situation.take(policy, random);
  t.same([...situation.active], [50, 50]);
});

t.test('it explains the wait, or that it is unknown', async (t) => {
  const policy = policyOf('least-latency', equalMembers(3));
  const situation = new Situation(equalMembers(3));
  situation.latencyMs.set([12.5, 3, 4]);
  situation.active.set([0, 1, 1]);
  t.equal(
    policy.explain(situation),
    'Takes the lesser wait of two draws among 3 eligible backends; ' +
      'the least is b1 (3 ms times load 2.00).',
  );
  situation.latencyMs[2] = 0;
  t.match(policy.explain(situation), /b2 \(latency not known yet, 1 active; load alone decides\)/);
});
