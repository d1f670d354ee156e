/** What is wrong with a request, in words that fit into the sentence of its problem. */
import t from 'tap';
import { badRequest } from '../../../src/control/api/problem.js';
import {
  checkShape,
  duration,
  flag,
  list,
  optional,
  record,
  text,
  whole,
  wholeOrText,
} from '../../../src/control/api/shape.js';

t.test('what was expected ends in one full stop', async (t) => {
  const read = checkShape(wholeOrText('0 to 9.', 9, /^$/), 12);
  const problem = badRequest('The request does not fit', read.ok ? [] : read.error);
  t.equal(problem.detail, 'The request does not fit: expected 0 to 9; got 12.');
});

t.test('a text has nothing that a terminal would obey', async (t) => {
  const reason = text('Why.');
  for (const bad of ['\u001b', '\n', '\u202e', '\u2028', '\ud800']) {
    const name = `U+${bad.charCodeAt(0).toString(16)}`;
    t.equal(checkShape(reason, `a${bad}b`).ok, false, name);
  }
  t.ok(checkShape(reason, 'Müller, \u{1f468}\u200d\u{1f469}: kernel').ok);
});

t.test('each part that does not fit is named, with what is wanted and what came', async (t) => {
  const shape = record({
    backends: list('Names.', text('A name.'), 3),
    for: optional(duration('How long.', 60_000, 1)),
    limit: optional(whole('How many.', 1, 9)),
    drain: optional(flag('Whether.')),
    at: optional(record({ x: text('Where.') })),
  });
  const names = ['pg/a'];
  const cases: readonly (readonly [unknown, readonly string[]])[] = [
    [{}, ['backends: missing, expected a list of 1 to 3']],
    [null, ['expected an object with backends, for, limit, drain, at; got null']],
    [names, ['expected an object with backends, for, limit, drain, at; got a list of one']],
    [{ backends: 'pg/a' }, ['backends: expected a list of 1 to 3; got "pg/a"']],
    [{ backends: [] }, ['backends: expected a list of 1 to 3; got an empty list']],
    [{ backends: ['', '', '', ''] }, ['backends: expected a list of 1 to 3; got a list of 4']],
    [{ backends: [7, 'x'] }, ['backends.0: expected a text; got 7']],
    [{ backends: [null] }, ['backends.0: expected a text; got null']],
    [{ backends: names, forr: '5m' }, ['forr: no such field (did you mean for?)']],
    [
      { backends: names, colour: 1 },
      ['colour: no such field; there is backends, for, limit, drain, at'],
    ],
    [{ backends: names, for: '0s' }, ['for: expected 1ms to 1m; got "0s"']],
    [{ backends: names, for: '2m' }, ['for: expected 1ms to 1m; got "2m"']],
    ...['5', '-1s', '1h30m', ''].map(
      (bad) =>
        [
          { backends: names, for: bad },
          [`for: expected a time such as 30s, 10m or 2h, one number with its unit; got "${bad}"`],
        ] as const,
    ),
    [{ backends: names, limit: -1 }, ['limit: expected a whole number from 1 to 9; got -1']],
    [{ backends: names, drain: 'yes' }, ['drain: expected true or false; got "yes"']],
    [{ backends: names, at: 'here' }, ['at: expected an object with x; got "here"']],
    [{ backends: names, at: { x: {} } }, ['at.x: expected a text; got an object']],
  ];
  for (const [raw, problems] of cases) {
    const read = checkShape(shape, raw);
    const { problems: told = [] } = badRequest('', read.ok ? [] : read.error);
    t.strictSame(told, problems, JSON.stringify(raw));
  }
});
