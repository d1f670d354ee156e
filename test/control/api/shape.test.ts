/** What is wrong with a request, in words that fit into the sentence of its problem. */
import t from 'tap';
import { badRequest } from '../../../src/control/api/problem.js';
import { checkShape, numberOrText, text } from '../../../src/control/api/shape.js';

t.test('what was expected ends in one full stop', async (t) => {
  const read = checkShape(
    numberOrText('0 to 9.', (value) => Number(value) < 10),
    12,
  );
  const problem = badRequest('The body does not fit', read.ok ? [] : read.error);
  t.equal(problem.detail, 'The body does not fit: expected 0 to 9.');
});

t.test('a text has nothing that a terminal would obey', async (t) => {
  const reason = text('Why.');
  for (const bad of ['\u001b', '\n', '\u202e', '\u2028', '\ud800']) {
    const name = `U+${bad.charCodeAt(0).toString(16)}`;
    t.equal(checkShape(reason, `a${bad}b`).ok, false, name);
  }
  t.ok(checkShape(reason, 'Müller, \u{1f468}\u200d\u{1f469}: kernel').ok);
});
