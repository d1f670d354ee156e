/**
 * Users and groups of `[admin]` that this machine does not have by name. A warning, and no problem:
 * a directory service may have them, which is not asked because it may take for ever.
 */
import type { Spec } from '../core/spec.js';
import { groupNumber, userNumber } from '../files/accounts.js';
import type { Issue } from './issue.js';
import { formatPath, type Path } from './path.js';
import { indexPositions } from './positions.js';

/** A warning for each of them, in the order of the file. */
export function findMissingAccounts(text: string, file: string, spec: Spec): readonly Issue[] {
  const { socketGroup, socketUsers } = spec.admin;
  const all: { key: Path; kind: 'group' | 'user'; name: string }[] = socketUsers.map(
    (name, index) => ({ key: ['admin', 'socket_users', index], kind: 'user', name }),
  );
  if (socketGroup !== '') {
    all.unshift({ key: ['admin', 'socket_group'], kind: 'group', name: socketGroup });
  }
  const found = all.filter(({ kind, name }) => {
    return (kind === 'group' ? groupNumber(name) : userNumber(name)) === null;
  });
  if (found.length === 0) return [];
  const positions = indexPositions(text);
  return found.map(({ key, kind, name }) => ({
    code: 'no-such-account',
    file,
    ...positions.near(key),
    key: formatPath(key),
    problem: `/etc/${kind === 'group' ? 'group' : 'passwd'} has no ${kind} ${name}`,
    expected: `a ${kind} of this machine; one of a directory service by its number`,
    got: JSON.stringify(name),
  }));
}
