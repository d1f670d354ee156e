/**
 * What the reference describes and this version cannot do yet. A row makes the key, or some of its
 * values, a problem that says so; nothing is ever ignored in silence. When the feature is there,
 * its row goes.
 */
import type { Path } from './path.js';
import type { TomlScalar } from './schema/node.js';

export type Unavailable = {
  /** The key's path; `*` stands for any name or index. */
  readonly key: readonly string[];
  /** For the operator: what to do instead. */
  readonly instead: string;
} & (
  | { readonly refuses: readonly TomlScalar[] }
  /** Every other value is refused, tables and lists too. */
  | { readonly allows: readonly TomlScalar[] }
);

export const NOT_IN_THIS_VERSION: readonly Unavailable[] = [
  { key: ['daemon', 'engine'], refuses: ['epoll'], instead: '"auto", "uring" or "node"' },
];

/** The row that refuses `value` at `path`, if any; `value` is the file's own, not a default. */
export function unavailable(
  rows: readonly Unavailable[],
  path: Path,
  value: unknown,
): Unavailable | undefined {
  return rows.find((row) => {
    if (!matches(row.key, path)) return false;
    const isIn = (list: readonly TomlScalar[]): boolean => list.some((one) => one === value);
    return 'refuses' in row ? isIn(row.refuses) : !isIn(row.allows);
  });
}

/** For the reference: the row of a key, whatever its value. */
export function availabilityOf(rows: readonly Unavailable[], path: Path): Unavailable | undefined {
  return rows.find((row) => matches(row.key, path));
}

function matches(pattern: readonly string[], path: Path): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((segment, index) => segment === '*' || segment === path[index])
  );
}
