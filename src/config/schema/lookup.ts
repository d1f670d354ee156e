/** Finds the description of a key by its path, and the tables in which a key is known. */
import type { Path } from '../path.js';
import type { Node, TableNode } from './node.js';

/** The deepest description on the way along `path`, and the path of what it describes. */
export interface FoundNode {
  readonly node: Node;
  readonly path: Path;
}

/** Goes along `path` as far as it is known; the elements of a leaf's list are the leaf's own. */
export function describe(root: TableNode, path: Path): FoundNode {
  let node: Node = root;
  for (const [index, segment] of path.entries()) {
    const next = childOf(node, segment);
    if (next === undefined) return { node, path: path.slice(0, index) };
    node = next;
  }
  return { node, path };
}

/**
 * A table of the schema with the path that leads to it, `NAME` and `[]` in place of names and
 * indices.
 */
export interface FoundSection {
  readonly header: string;
  readonly path: Path;
  readonly table: TableNode;
}

/** Every table, in the order of the file. */
export function sections(root: TableNode): readonly FoundSection[] {
  const found: FoundSection[] = [];
  const visit = (node: Node, path: Path, header: string): void => {
    switch (node.kind) {
      case 'leaf':
        return;
      case 'named':
        visit(node.of, [...path, 'NAME'], `[${[...path, 'NAME'].join('.')}]`);
        return;
      case 'listed':
        visit(node.of, [...path, '[]'], `[[${path.join('.')}]]`);
        return;
      case 'table':
        found.push({ header, path, table: node });
        for (const [key, child] of Object.entries(node.fields)) {
          visit(child, [...path, key], `[${[...path, key].join('.')}]`);
        }
    }
  };
  visit(root, [], 'the top of the file');
  return found;
}

/** Other sections that know `key`, those nearest to `path` first. */
export function homesOf(root: TableNode, key: string, path: Path): readonly FoundSection[] {
  return sections(root)
    .filter(({ table }) => Object.hasOwn(table.fields, key))
    .toSorted((a, b) => sharedLength(b.path, path) - sharedLength(a.path, path));
}

/** How many segments of a section's path lead the same way as `path`. */
function sharedLength(section: Path, path: Path): number {
  const differs = (segment: string | number, index: number): boolean =>
    segment !== 'NAME' && segment !== path[index];
  const first = section.findIndex(differs);
  return first === -1 ? section.length : first;
}

function childOf(node: Node, segment: string | number): Node | undefined {
  switch (node.kind) {
    case 'leaf':
      return undefined;
    case 'named':
    case 'listed':
      return node.of;
    case 'table':
      return typeof segment === 'string' && Object.hasOwn(node.fields, segment)
        ? node.fields[segment]
        : undefined;
  }
}
