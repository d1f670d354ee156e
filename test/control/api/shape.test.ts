/** What is wrong with a request, in words that fit into the sentence of its problem. */
import t from 'tap';
import { badRequest } from '../../../src/control/api/problem.js';
import { check, numberOrText } from '../../../src/control/api/shape.js';

t.test('what was expected ends in one full stop', async (t) => {
  const read = check(
    numberOrText('0 to 9.', (value) => Number(value) < 10),
    12,
  );
  const problem = badRequest('The body does not fit', read.ok ? [] : read.error);
  t.equal(problem.detail, 'The body does not fit: expected 0 to 9.');
});
