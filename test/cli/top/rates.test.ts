import t from 'tap';
import { rate, sessionRate, short } from '../../../src/cli/top/rates.js';
import { lookFailed } from '../../../src/cli/top/state.js';
import { look, seen, session } from './looks.js';

t.test('figures are as short as a column', async (t) => {
  const said = [
    [null, '-'],
    [0, '0'],
    [0.04, '0.0'],
    [9.94, '9.9'],
    [9.95, '10'],
    [9_999, '9999'],
    [9_999.5, '10.0k'],
    [999_949, '999.9k'],
    [999_950, '1.0M'],
    [999_950_000, '1.0G'],
  ] as const;
  for (const [value, text] of said) t.equal(short(value), text);
});

t.test('a rate is the difference over the time between, and never negative', async (t) => {
  const looks = seen(look({ atMs: 0 }), look({ atMs: 500 }, { sessions_total: 1_010 }));
  t.equal(
    rate(looks, ({ status }) => status.sessions_total),
    20,
  );
  t.equal(
    rate(looks, ({ status }) => -status.sessions_total),
    0,
  );
  const same = seen(look(), look());
  t.equal(
    rate(same, () => 1),
    null,
    'no time between',
  );
});

t.test('after a failed look there is no rate until two have succeeded', async (t) => {
  const state = lookFailed(
    seen(look({ atMs: 0 }), look({ atMs: 500 })),
    'the daemon does not answer',
  );
  t.equal(
    rate(state, () => 1),
    null,
  );
});

t.test('a session that was not there before has no rate yet', async (t) => {
  const sessions = [session({ bytes_in: 0, bytes_out: 0 })];
  const state = seen(
    look({ atMs: 0, sessions }),
    look({ atMs: 2_000, sessions: [session(), session({ id: 'new' })] }),
  );
  t.equal(sessionRate(state, 'k3f9'), 2_100);
  t.equal(sessionRate(state, 'new'), null);
});
