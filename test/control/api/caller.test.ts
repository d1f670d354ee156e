/** The gate of the control API. */
import t from 'tap';
import { callerOf } from '../../../src/control/api/caller.js';

const NAMES = new Map([
  [0, 'root'],
  [7, 'sluice'],
  [100, 'ada'],
  [101, '102'],
]);
const gate = (socketUsers: readonly string[]) => ({
  ownUser: 7,
  socketUsers,
  nameOf: (user: number) => NAMES.get(user) ?? null,
});

t.test('root, the own user and users who are listed may change things', async (t) => {
  for (const [user, list] of [
    [0, []],
    [7, []],
    [100, ['ada']],
    [100, ['100']],
    [4_000_000_000, ['4000000000']],
  ] as const) {
    t.match(callerOf(user, gate(list)), { may: 'change', why: '' }, `${user} by ${list}`);
  }
});

t.test('every other user may look, and is told why not more', async (t) => {
  for (const [user, list] of [
    [100, []],
    [100, ['bob']],
    [4_000_000_000, ['ada']],
  ] as const) {
    const { may, why, name } = callerOf(user, gate(list));
    t.equal(may, 'look');
    t.match(why, 'socket_users');
    t.match(why, name);
  }
  t.match(callerOf(null, gate(['ada'])), { may: 'look', why: /SO_PEERCRED/ });
});
