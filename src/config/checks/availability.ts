/** Finds what the reference describes and this version cannot do yet. */
import { type Unavailable, unavailable } from '../availability.js';
import type { Path } from '../path.js';
import type { Finding } from './check.js';

/** Looks at the file's own values only: a default is always available. */
export function findUnavailable(tree: unknown, rows: readonly Unavailable[]): readonly Finding[] {
  const depth = Math.max(0, ...rows.map(({ key }) => key.length));
  const visit = (node: unknown, path: Path): readonly Finding[] => {
    const row = unavailable(rows, path, node);
    if (row !== undefined) {
      const expected = row.instead;
      return [{ code: 'not-in-this-version', path, problem: 'not in this version', expected }];
    }
    if (path.length >= depth) return [];
    if (Array.isArray(node)) return node.flatMap((child, index) => visit(child, [...path, index]));
    if (node === null || typeof node !== 'object') return [];
    return Object.entries(node).flatMap(([key, child]) => visit(child, [...path, key]));
  };
  return visit(tree, []);
}
