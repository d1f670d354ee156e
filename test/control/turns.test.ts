/** Whose turn it is when much is asked of the control API at once. */
import t from 'tap';
import { ApiTurns } from '../../src/control/api/turns.js';

/** No time passes. */
const REST = { nowMs: () => 0 };

t.test('one at a time, in the order of asking, and other work between two', async (t) => {
  const later: (() => void)[] = [];
  const turns = new ApiTurns((task) => later.push(task), REST);
  const had: string[] = [];
  const asked = ['a', 'b', 'c'].map(async (name) => {
    await turns.next();
    had.push(name);
  });
  for (const so of [[], ['a'], ['a', 'b'], ['a', 'b', 'c']]) {
    t.same(had, so);
    t.equal(later.length, so.length < 3 ? 1 : 0, 'the next turn comes later, and only one');
    later.shift()?.();
    await Promise.resolve();
    await Promise.resolve();
  }
  await Promise.all(asked);
});

t.test('answers are made at once for a moment, and the rest of a burst has turns', async (t) => {
  const later: (() => void)[] = [];
  const clock = { now: 100, nowMs: () => clock.now };
  const turns = new ApiTurns((task) => later.push(task), clock);
  t.ok(turns.take());
  clock.now += 0.9;
  t.ok(turns.take(), 'the first was quick');
  clock.now += 0.2;
  t.notOk(turns.take(), 'it is time for others');
  const third = turns.next();
  t.notOk(turns.take(), 'none overtakes those that wait');
  t.equal(later.length, 2);
  for (const task of later.splice(0)) task();
  await third;
  t.ok(turns.take(), 'in the next turn of the loop there is a moment again');
  t.equal(later.length, 1, 'which is told once');
});

t.test('one that takes long is the last of its turn of the loop', async (t) => {
  const clock = { now: 100, nowMs: () => clock.now };
  const turns = new ApiTurns(() => {}, clock);
  t.ok(turns.take());
  clock.now += 50;
  t.notOk(turns.take());
});

t.test('a caller that asks after a rest has its turn, too', async (t) => {
  const turns = new ApiTurns(setImmediate, REST);
  await turns.next();
  await turns.next();
  t.equal(await Promise.race([turns.next().then(() => 'turn')]), 'turn');
});
