/** Users and groups that a file names, and this machine perhaps does not have. */
import t from 'tap';
import { findMissingAccounts } from '../../src/config/missing_accounts.js';
import { loadSpec } from '../support/load_spec.js';

const TEXT = (group: string, users: string): string =>
  `[admin]\nsocket_group = "${group}"\nsocket_users = [${users}]\n`;

t.test('a name that this machine does not have is a warning, and a number is none', async (t) => {
  const found = (text: string) => findMissingAccounts(text, 'x.toml', loadSpec(text));
  t.same(found(TEXT('', '"root", "400000000"')), []);
  t.same(found(TEXT('root', '')), []);
  t.match(found(TEXT('no-such-group', '"root", "no-such-user"')), [
    { key: 'admin.socket_group', line: 2, problem: '/etc/group has no group no-such-group' },
    { key: 'admin.socket_users[1]', line: 3, problem: '/etc/passwd has no user no-such-user' },
  ]);
});
