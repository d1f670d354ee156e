/**
 * Reads a tree against the schema. What does not fit is reported and then counts as absent, so that
 * the rest can still be checked and all problems are reported at once. One walk along the schema,
 * value by value: the library reads single values only, because it hands problems from table to
 * table as arguments of one call, and a file may have more of them than a stack has room for.
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
  type TableNode,
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

/** Five times the listeners, pools and backends that shared memory has room for. */
const MAX_TABLES = 131_072;
/** No person reads as many, and each costs memory. */
const MAX_FAULTS = 10_000;

export function readTree<T>(
  root: TableNode<TableNode['fields'], T>,
  tree: TomlTree,
): TreeReading<T> {
  const walk = new Walk();
  // The walk follows the same description that `T` is derived from.
  const value = walk.table(root, tree) as T;
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
  /** Of the value that is looked at; a copy is made only where something is wrong with it. */
  readonly #path: (string | number)[] = [];
  #tables = 0;

  /** The limit at which the walk has stopped; null: it has not. */
  get reached(): string | null {
    if (this.#tables > MAX_TABLES) return `more than ${MAX_TABLES} tables`;
    return this.faults.length > MAX_FAULTS ? `more than ${MAX_FAULTS} problems` : null;
  }

  table(node: TableNode, raw: unknown): unknown {
    if (raw === undefined && node.presence === 'optional') return undefined;
    if (raw !== undefined && !isTable(raw)) {
      this.#misfit('wrong-type', 'wrong type');
      return node.presence === 'optional' ? undefined : this.table(node, {});
    }
    const given = raw ?? {};
    this.#tables++;
    for (const key of Object.keys(given)) {
      if (Object.hasOwn(node.fields, key) || this.reached !== null) continue;
      this.#path.push(key);
      // Plain objects would hide it, so no table may have it.
      if (key === '__proto__') this.#misfit('bad-name', 'not a usable name');
      else this.#misfit('unknown-key', 'unknown key');
      this.#path.pop();
    }
    const value: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(node.fields)) {
      const child = Object.hasOwn(given, key) ? given[key] : undefined;
      this.#path.push(key);
      value[key] = this.#value(field, child);
      this.#path.pop();
    }
    return value;
  }

  #value(node: Node, raw: unknown): unknown {
    switch (node.kind) {
      case 'leaf':
        return raw === undefined ? node.whenAbsent : this.#leaf(node, raw);
      case 'table':
        return this.table(node, raw);
      case 'named':
        return raw === undefined ? {} : this.#named(node, raw);
      case 'listed':
        return raw === undefined ? [] : this.#listed(node, raw);
    }
  }

  /** One element of a list that is a single value breaks the list. */
  #leaf(node: Leaf<unknown>, raw: unknown): unknown {
    const reading = readWith(node.schema, raw);
    if (reading.ok) return reading.value;
    this.broken.push([...this.#path]);
    for (const fault of reading.faults) {
      this.faults.push({ ...fault, path: [...this.#path, ...fault.path] });
    }
    return node.whenAbsent;
  }

  #named(node: Named, raw: unknown): unknown {
    if (!isTable(raw)) {
      this.#misfit('wrong-type', 'wrong type');
      return {};
    }
    const entries: [string, unknown][] = [];
    for (const name of Object.keys(raw)) {
      if (this.reached !== null) break;
      this.#path.push(name);
      if (NAME_PATTERN.test(name)) entries.push([name, this.table(node.of, raw[name])]);
      else this.#misfit('bad-name', 'not a usable name');
      this.#path.pop();
    }
    return Object.fromEntries(entries);
  }

  /** An element that is no table counts as an empty one, so that none moves up. */
  #listed(node: Listed, raw: unknown): unknown {
    if (!Array.isArray(raw)) {
      this.#misfit('wrong-type', 'wrong type');
      return [];
    }
    const elements: unknown[] = [];
    for (const [index, element] of raw.entries()) {
      if (this.reached !== null) break;
      this.#path.push(index);
      elements.push(this.table(node.of, element));
      this.#path.pop();
    }
    return elements;
  }

  #misfit(code: Fault['code'], problem: string): void {
    this.faults.push({ code, path: [...this.#path], problem });
    this.broken.push([...this.#path]);
  }
}

function isTable(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}
