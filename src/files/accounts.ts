/**
 * Users and groups of this machine by number and by name, from the files of passwd(5) and group(5).
 * Those of a directory service are known by their numbers only, as asking one may take for ever.
 */
import { readFileSync, statSync } from 'node:fs';

const USERS_FILE = '/etc/passwd';
const GROUPS_FILE = '/etc/group';

/** The name of the user with the number `user`; null: not in the file. */
export function userName(user: number): string | null {
  const version = versionOf(USERS_FILE);
  if (version === null || known.version !== version) known = { version, names: new Map() };
  const name = known.names.get(user) ?? entries(USERS_FILE).find(({ id }) => id === user)?.name;
  if (name !== undefined) known.names.set(user, name);
  return name ?? null;
}

/**
 * Names as the file had them in its `version`; null: unknown. Each change over the control API
 * needs one.
 */
let known: { readonly version: string | null; readonly names: Map<number, string> } = {
  version: null,
  names: new Map(),
};

function versionOf(file: string): string | null {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.ino} ${found.size} ${found.mtimeMs}`;
}

/** The number of the group that `group` names, or is; null: not in the file. */
export function groupNumber(group: string): number | null {
  if (/^\d{1,9}$/.test(group)) return Number(group);
  return entries(GROUPS_FILE).find(({ name }) => name === group)?.id ?? null;
}

/** The same for users. */
export function userNumber(user: string): number | null {
  if (/^\d{1,9}$/.test(user)) return Number(user);
  return entries(USERS_FILE).find(({ name }) => name === user)?.id ?? null;
}

function entries(file: string): { readonly name: string; readonly id: number }[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.flatMap((line) => {
      const [name = '', , id = ''] = line.split(':');
      return /^\d+$/.test(id) ? [{ name, id: Number(id) }] : [];
    });
  } catch {
    return [];
  }
}
