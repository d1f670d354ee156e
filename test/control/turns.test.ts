/** Whose turn it is when much is asked of the control API at once. */
import t from 'tap';
import { ApiTurns } from '../../src/control/api/turns.js';

t.test('one at a time, in the order of asking, and other work between two', async (t) => {
  const later: (() => void)[] = [];
  const turns = new ApiTurns((task) => later.push(task));
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

t.test('a session that asks after a rest has its turn, too', async (t) => {
  const turns = new ApiTurns(setImmediate);
  await turns.next();
  await turns.next();
  t.equal(await Promise.race([turns.next().then(() => 'turn')]), 'turn');
});
