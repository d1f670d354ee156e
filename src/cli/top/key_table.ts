/** The keys of `sluice top` and what they do, for its help and that of the command. */
export const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ['up down, k j', 'move; page up, page down, home and end too'],
  ['space, left right', 'fold a pool, or show its backends again'],
  ['z', 'fold all pools, or show all backends'],
  ['s S', 'sort by the next or the previous column'],
  ['/', 'filter by name, address or state; empty: all'],
  ['enter', 'sessions of a listener, pool or backend; escape goes back'],
  ['d', 'drain a backend, or all of a pool; asks before'],
  ['r', 'bring it back; asks before'],
  ['?', 'this help'],
  ['ctrl-z', 'suspend: `fg` goes on'],
  ['q, ctrl-c', 'leave'],
];
