/** How an explanation reads. */
import t from 'tap';
import { textTable } from '../../src/admin/table.js';
import { type ExplainAnswer, explained } from '../../src/cli/ctl/explain.js';
import { NO_CHOICE } from '../../src/core/questions.js';

const SINCE = '2026-11-29T18:12:00.000Z';

const full: ExplainAnswer = {
  listener: 'in',
  route: 'The listener has no routes: the client goes to pool pg.',
  pool: 'pg',
  chosen: null,
  rule: NO_CHOICE,
  outcome: 'It is refused: all-full.',
  backends: [{ backend: 'pg/a', eligible: false, reason: 'full', score: null }],
  overrides: [],
};

const text = (answer: Partial<ExplainAnswer>): readonly string[] =>
  explained({ ...full, ...answer }, (rows) => textTable(rows));

t.test('that no backend is chosen is said once', async (t) => {
  t.same(text({}), [
    full.route,
    full.outcome,
    '',
    '  BACKEND  ELIGIBLE  SCORE',
    '  pg/a     full      -',
  ]);
  const [, , rule] = text({ rule: 'a is the only eligible backend.', chosen: 'pg/a' });
  t.equal(rule, 'a is the only eligible backend.');
});

t.test('an override is told with its user, its times and its reason', async (t) => {
  const cap = { backend: 'pg/a', kind: 'cap', value: 1, replaced: 0, by: 'ada', since: SINCE };
  const drain = { ...cap, kind: 'drain', value: 'drained', replaced: 'ready', because: '' };
  const until = '2026-11-29T19:00:00.000Z';
  const overrides = [
    { ...cap, because: 'one is down', until: null },
    { ...drain, backend: 'pg/b', until },
  ];
  t.same(text({ overrides }).slice(2, 5), [
    'pg/a: cap 1 instead of 0 by ada: one is down (since 2026-11-29T18:12:00Z)',
    'pg/b: drained by ada (since 2026-11-29T18:12:00Z, until 2026-11-29T19:00:00Z)',
    '',
  ]);
});

t.test('of many overrides it tells ten, and where the others are', async (t) => {
  const one = { kind: 'drain', value: 'drained', replaced: 'ready', by: 'ada', because: '' };
  const overrides = Array.from({ length: 12 }, (_, index) => {
    return { ...one, backend: `pg/b${index}`, since: SINCE, until: null };
  });
  t.equal(text({ overrides })[12], 'and 2 more: `sluice ctl overrides`');
});
