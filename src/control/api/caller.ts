/**
 * The caller of the control API, and what it may do: the one gate. A user that can open the socket
 * may look; root, the daemon's own user and `[admin] socket_users` may change things too.
 */

export type Right = 'look' | 'change';

export interface Caller {
  /** For people and events: a user's name, or `uid 1234`. */
  readonly name: string;
  readonly may: Right;
  /** Why it may not change anything; '' where it may. */
  readonly why: string;
}

/** A caller that only looks: it need not be known. */
export const LOOKER: Caller = { name: '', may: 'look', why: '' };

export interface GateDeps {
  /** The daemon's own user id. */
  readonly ownUser: number;
  /** Names or numbers of users, `[admin] socket_users`. */
  readonly socketUsers: readonly string[];
  /** null: this machine has no such number. */
  readonly nameOf: (user: number) => string | null;
}

/** The caller with the user id `user`; null: the kernel does not say who it is. */
export function callerOf(user: number | null, deps: GateDeps): Caller {
  if (user === null) {
    const why =
      'sluice cannot ask the kernel here who is at the other end of the socket, so no user may ' +
      'change anything (SO_PEERCRED needs foreign calls; `sluice doctor` says what they lack)';
    return { name: 'unknown', may: 'look', why };
  }
  const { ownUser, socketUsers, nameOf } = deps;
  const known = nameOf(user);
  const name = known ?? `uid ${user}`;
  const listed = socketUsers.some((one) => one === known || one === String(user));
  if (user === 0 || user === ownUser || listed) return { name, may: 'change', why: '' };
  const why =
    `${name} may look and change nothing; changes are for root, the daemon's own user and those ` +
    'in [admin] socket_users';
  return { name, may: 'look', why };
}
