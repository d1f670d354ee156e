import t from 'tap';
import { describeLoad, leastBy, loadOf, round } from '../../src/balance/load.js';
import { membersOf, Situation } from './situation.js';

t.test('load counts the session that is about to come, a unit of weight', async (t) => {
  const situation = new Situation(membersOf(1, 4));
  situation.active.set([1, 1]);
  t.equal(loadOf(situation, 0), 2);
  t.equal(loadOf(situation, 1), 0.5);
});

t.test('weight 0 is an infinite load', async (t) => {
  t.equal(loadOf(new Situation(membersOf(0)), 0), Infinity);
});

t.test('the least is looked for among the eligible only', async (t) => {
  const situation = new Situation(membersOf(9, 1, 2)).only(1, 2);
  t.equal(
    leastBy(situation, (member) => loadOf(situation, member)),
    2,
  );
});

t.test('a load reads with its parts', async (t) => {
  const members = membersOf(1, 2);
  const situation = new Situation(members);
  situation.active[1] = 2;
  t.equal(describeLoad(members, situation, 1), 'b1 (load 1.50: 2 active + 1 over weight 2)');
});

t.test('figures are rounded for people', async (t) => {
  t.equal(round(2), '2');
  t.equal(round(1 / 3), '0.33');
});
