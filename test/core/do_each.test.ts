import t from 'tap';
import { InvariantError, SharedInvariantError } from '../../src/core/assert.js';
import { doEach } from '../../src/core/do_each.js';

t.test('each step is done whatever fails; what others rely on is reported first', async (t) => {
  const done: number[] = [];
  const step = (number: number, error?: Error) => (): void => {
    done.push(number);
    if (error !== undefined) throw error;
  };
  const own = new InvariantError('own');
  const shared = new SharedInvariantError('shared');
  doEach(null, [step(1), step(2)]);
  doEach(9, [(subject) => done.push(subject)]);
  t.throws(() => doEach(null, [step(3, own), step(4), step(5, shared), step(6)]), shared);
  t.throws(() => doEach(null, [step(7, own), step(8, new Error('further'))]), own);
  t.same(done, [1, 2, 9, 3, 4, 5, 6, 7, 8]);
});
