/**
 * Reads a tree against the schema. What does not fit is reported and then counts as absent, so that
 * the rest can still be checked and all problems are told at once. One walk along the schema, value
 * by value: the library reads single values only, because it hands problems from table to table as
 * arguments of one call, and a file may have more of them than a stack has room for.
 */
import type { Path } from './path.js';
import type { Fault } from './reading.js';
import { readWith } from './schema/library.js';
import {
  type Leaf,
  type Listed,
  NAME_PATTERN,
  type Named,
  type Node,
  type Table,
} from './schema/node.js';
import type { TomlTree } from './toml.js';

export interface TreeReading<T> {
  readonly value: T;
  readonly faults: readonly Fault[];
  /** What counts as absent in `value` though the file has it. */
  readonly broken: readonly Path[];
  /** `partly`: there was too much of it, as the last fault says, and the rest was not looked at. */
  readonly read: 'wholly' | 'partly';
}

/** Four times what any limit of shared memory allows (core/limits.ts). */
const MAX_TABLES = 131_072;
/** Nobody reads as many, and each costs memory. */
const MAX_FAULTS = 10_000;

export function readTree<T>(root: Table<Table['fields'], T>, tree: TomlTree): TreeReading<T> {
  const walk = new Walk();
  // The walk follows the same description that `T` is derived from.
  const value = walk.table(root, tree, []) as T;
  const limit = walk.reached;
  if (limit !== null) {
    const problem = `${limit}, so the rest was not looked at`;
    walk.faults.push({ code: 'too-many', path: [], problem });
  }
  const { faults, broken } = walk;
  return { value, faults, broken, read: limit === null ? 'wholly' : 'partly' };
}

class Walk {
  readonly faults: Fault[] = [];
  readonly broken: Path[] = [];
  #tables = 0;

  /** The limit at which the walk has stopped; null: it has not. */
  get reached(): string | null {
    if (this.#tables > MAX_TABLES) return `more than ${MAX_TABLES} tables`;
    return this.faults.length > MAX_FAULTS ? `more than ${MAX_FAULTS} problems` : null;
  }

  table(node: Table, raw: unknown, path: Path): unknown {
    if (raw === undefined && node.presence === 'optional') return undefined;
    if (raw !== undefined && !isTable(raw)) {
      this.#misfit('wrong-type', path, 'wrong type');
      return node.presence === 'optional' ? undefined : this.table(node, {}, path);
    }
    const given = raw ?? {};
    this.#tables++;
    for (const key of Object.keys(given)) {
      if (Object.hasOwn(node.fields, key) || this.reached !== null) continue;
      // Plain objects would hide it, so no table may have it.
      if (key === '__proto__') this.#misfit('bad-name', [...path, key], 'not a usable name');
      else this.#misfit('unknown-key', [...path, key], 'unknown key');
    }
    const entries = Object.entries(node.fields).map(([key, field]) => {
      const child = Object.hasOwn(given, key) ? given[key] : undefined;
      return [key, this.#value(field, child, [...path, key])];
    });
    return Object.fromEntries(entries);
  }

  #value(node: Node, raw: unknown, path: Path): unknown {
    switch (node.kind) {
      case 'leaf':
        return this.#leaf(node, raw, path);
      case 'table':
        return this.table(node, raw, path);
      case 'named':
        return this.#named(node, raw, path);
      case 'listed':
        return this.#listed(node, raw, path);
    }
  }

  /** One element of a list that is a single value breaks the list. */
  #leaf(node: Leaf<unknown>, raw: unknown, path: Path): unknown {
    if (raw === undefined) return node.whenAbsent;
    const reading = readWith(node.schema, raw);
    if (reading.ok) return reading.value;
    this.broken.push(path);
    for (const fault of reading.faults) {
      this.faults.push({ ...fault, path: [...path, ...fault.path] });
    }
    return node.whenAbsent;
  }

  #named(node: Named, raw: unknown, path: Path): unknown {
    if (raw === undefined) return {};
    if (!isTable(raw)) {
      this.#misfit('wrong-type', path, 'wrong type');
      return {};
    }
    const entries = Object.keys(raw).flatMap((name) => {
      if (this.reached !== null) return [];
      const at = [...path, name];
      if (NAME_PATTERN.test(name)) return [[name, this.table(node.of, raw[name], at)]];
      this.#misfit('bad-name', at, 'not a usable name');
      return [];
    });
    return Object.fromEntries(entries);
  }

  /** An element that is no table counts as an empty one, so that none moves up. */
  #listed(node: Listed, raw: unknown, path: Path): unknown {
    if (raw === undefined) return [];
    if (!Array.isArray(raw)) {
      this.#misfit('wrong-type', path, 'wrong type');
      return [];
    }
    return raw.flatMap((element, index) =>
      this.reached === null ? [this.table(node.of, element, [...path, index])] : [],
    );
  }

  #misfit(code: Fault['code'], path: Path, problem: string): void {
    this.faults.push({ code, path, problem });
    this.broken.push(path);
  }
}

function isTable(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}
