/**
 * Reads a tree against the schema. What does not fit is reported and then replaced as if it were
 * absent, so that the rest can still be checked and all problems are told at once.
 */
import { assert } from '../core/assert.js';
import type { Path } from './path.js';
import type { Fault } from './reading.js';
import { readWith } from './schema/library.js';
import { describe } from './schema/lookup.js';
import type { Table } from './schema/node.js';
import { type TomlTree, valueAt } from './toml.js';

export interface TreeReading<T> {
  readonly value: T;
  readonly faults: readonly Fault[];
  /** What counts as absent in `value` though the file has it. */
  readonly broken: readonly Path[];
}

export function readTree<T>(root: Table<Table['fields'], T>, tree: TomlTree): TreeReading<T> {
  const [whole, poisoned] = withoutPoison(tree, []);
  const first = readWith(root.schema, whole);
  if (first.ok) return { value: first.value, faults: poisoned, broken: [] };
  const broken = first.faults.map(({ path }) => replaceable(root, path));
  for (const path of broken) mend(whole, path);
  const second = readWith(root.schema, whole);
  assert(second.ok, 'a tree without its faults fits the schema');
  return { value: second.value, faults: [...poisoned, ...first.faults], broken };
}

/** One element of a list that is a single value breaks the list. */
function replaceable(root: Table, path: Path): Path {
  const found = describe(root, path);
  return found.node.kind === 'leaf' ? found.path : path;
}

/** Deeper than the schema goes; dotted keys may go as deep as a file is long. */
const MAX_DEPTH = 32;

/**
 * A copy without `__proto__`, which is no key anywhere and which plain objects would hide, and
 * without what is too deep to walk through: it lies below something that is reported anyway.
 */
function withoutPoison(node: unknown, path: Path): readonly [unknown, readonly Fault[]] {
  if (path.length > MAX_DEPTH) return [null, []];
  if (Array.isArray(node)) {
    const parts = node.map((child, index) => withoutPoison(child, [...path, index]));
    return [parts.map(([child]) => child), parts.flatMap(([, faults]) => faults)];
  }
  if (node === null || typeof node !== 'object') return [node, []];
  const faults: Fault[] = [];
  const clean: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(node)) {
    if (key === '__proto__') {
      faults.push({ code: 'bad-name', path: [...path, key], problem: 'not a usable name' });
      continue;
    }
    const [cleaned, below] = withoutPoison(child, [...path, key]);
    clean[key] = cleaned;
    faults.push(...below);
  }
  return [clean, faults];
}

/**
 * Takes the value at `path` out of `tree`; an element of a list becomes empty, so none moves up.
 */
function mend(tree: unknown, path: Path): void {
  const key = path.at(-1);
  const parent = valueAt(tree, path.slice(0, -1));
  if (key === undefined || typeof parent !== 'object' || parent === null) return;
  if (typeof key === 'number') Reflect.set(parent, key, {});
  else Reflect.deleteProperty(parent, key);
}
