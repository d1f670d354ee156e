/** What the generated documents say of each key, gathered from the schema and its tables. */
import { availabilityOf, NOT_IN_THIS_VERSION, type Unavailable } from '../availability.js';
import { formatKey } from '../path.js';
import { SOURCE_KEYS, type SourceKey, sourcesWith } from '../schema/discovery_keys.js';
import { wordList } from '../schema/kinds.js';
import type { FoundSection } from '../schema/lookup.js';
import type { Leaf, TomlValue } from '../schema/node.js';
import { PROBE_KEYS, type ProbeKey, takersOf } from '../schema/probe_keys.js';

export interface KeyText {
  readonly key: string;
  readonly doc: string;
  readonly expected: string;
  /** As a phrase: `"30s"`, `the address`, `required`. */
  readonly fallback: string;
  /** The default or an example. */
  readonly example: TomlValue;
  /** True: an example shows the default, or one is required. */
  readonly isShown: boolean;
  /** Kinds of probe or source that take it; empty: it belongs to no kind in particular. */
  readonly kinds: readonly string[];
  /** What this version refuses of it; empty: nothing. */
  readonly refused: string;
}

/** The keys of `section` that have one value, in the order of the schema. */
export function keysOf(section: FoundSection): readonly KeyText[] {
  return Object.entries(section.table.fields).flatMap(([key, node]) => {
    if (node.kind !== 'leaf') return [];
    return [keyText(section, key, node)];
  });
}

export function formatToml(value: TomlValue): string {
  if (typeof value === 'object') return `[${value.map(formatToml).join(', ')}]`;
  // TOML reads escapes of strings in double quotes itself; a literal string keeps them for us.
  if (typeof value === 'string' && value.includes('\\')) return `'${value}'`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

export function formatPair(key: string, value: TomlValue): string {
  return `${formatKey(key)} = ${formatToml(value)}`;
}

function keyText(section: FoundSection, key: string, leaf: Leaf<unknown>): KeyText {
  const { absent, doc, expected } = leaf;
  const kinds = kindsOf(section, key);
  const row = availabilityOf(NOT_IN_THIS_VERSION, [...section.path, key]);
  const common = {
    key,
    doc,
    expected,
    kinds,
    refused: row === undefined ? '' : refusedValues(row),
  };
  if ('default' in absent) {
    const { default: value } = absent;
    const isShown = kinds.length === 0;
    return { ...common, fallback: formatToml(value), example: value, isShown };
  }
  const { example } = absent;
  return 'required' in absent
    ? { ...common, fallback: 'required', example, isShown: true }
    : { ...common, fallback: absent.otherwise, example, isShown: false };
}

function kindsOf(section: FoundSection, key: string): readonly string[] {
  const isSourceKey = section.path.includes('discovery') && Object.hasOwn(SOURCE_KEYS, key);
  if (isSourceKey) return sourcesWith(key as SourceKey).map(String);
  const isProbeKey = section.path.at(-1) === 'health' && Object.hasOwn(PROBE_KEYS, key);
  return isProbeKey ? takersOf(key as ProbeKey).map(String) : [];
}

/** `everything but ""`, `"epoll"` */
export function refusedValues(row: Unavailable): string {
  if ('refuses' in row) return wordList(row.refuses.map(formatToml));
  if (row.allows.length === 0) return 'the whole of it';
  return `everything but ${wordList(row.allows.map(formatToml))}`;
}
