/**
 * The kinds of keys. One call fixes everything about a key: type, bounds, default, documentation.
 */
import { assert, present } from '../../core/assert.js';
import { knownValue } from '../foreign_words.js';
import { bySimilarity, isSimilar } from '../nearest.js';
import {
  DURATION_PATTERN,
  guessDuration,
  guessSize,
  parseDuration,
  parseSize,
  SIZE_PATTERN,
} from '../quantity.js';
import { fault, type ReadValue, readString } from '../reading.js';
import {
  anyBoolean,
  integerBetween,
  type JsonShape,
  numberBetween,
  oneOf,
  optional,
  reading,
  readWith,
  type Schema,
  withDefault,
} from './library.js';
import type { Absent, KeyOptions, Leaf, Present } from './node.js';

interface Bounds<T> {
  readonly min: T;
  readonly max: T;
}

/** Read as milliseconds. `zero` says what "0s" means where that is allowed besides the bounds. */
export function duration<const O extends KeyOptions & Bounds<string> & { readonly zero?: string }>(
  options: O,
): Leaf<Present<number, O>> {
  const range = `a duration from "${options.min}" to "${options.max}"`;
  return quantity(options, DURATION, range);
}

/** Read as bytes. */
export function size<const O extends KeyOptions & Bounds<string>>(
  options: O,
): Leaf<Present<number, O>> {
  const range = `a size from "${options.min}" to "${options.max}"`;
  return quantity(options, SIZE, range);
}

export function integer<const O extends KeyOptions & Bounds<number>>(
  options: O,
): Leaf<Present<number, O>> {
  const { min, max } = options;
  return leaf(options, integerBetween(min, max), `an integer from ${min} to ${max}`);
}

/** A number with a fraction. */
export function decimal<const O extends KeyOptions & Bounds<number>>(
  options: O,
): Leaf<Present<number, O>> {
  const { min, max } = options;
  return leaf(options, numberBetween(min, max), `a number from ${min} to ${max}`);
}

export function flag<const O extends KeyOptions>(options: O): Leaf<Present<boolean, O>> {
  return leaf(options, anyBoolean(), 'true or false');
}

export function choice<const V extends string, const O extends KeyOptions>(
  values: readonly V[],
  options: O,
): Leaf<Present<V, O>> {
  const list = wordList(values.map((value) => JSON.stringify(value)));
  const expectedFor = (value: unknown): string => {
    const meant = typeof value === 'string' ? nearestValue(value, values) : null;
    return meant === null ? list : `${JSON.stringify(meant)}, or another of ${list}`;
  };
  return leaf(options, oneOf(values), list, { expectedFor });
}

function nearestValue(word: string, values: readonly string[]): string | null {
  const known = knownValue(word, values);
  if (known !== null) return known;
  const nearest = bySimilarity(word.toLowerCase(), values)[0] ?? '';
  return isSimilar(word.toLowerCase(), nearest) ? nearest : null;
}

/** A string that `parse` understands; `expected` says what it looks like. */
export function text<T, const O extends KeyOptions & { readonly sensitive?: true }>(
  options: O,
  expected: string,
  parse: (text: string) => ReadValue<T>,
  pattern?: string,
): Leaf<Present<T, O>> {
  const { sensitive = false } = options;
  return leaf(options, stringSchema(parse, pattern), expected, { sensitive });
}

/** A value of more than one type. */
export function mixed<T, const O extends KeyOptions & { readonly sensitive?: true }>(
  options: O,
  expected: string,
  json: JsonShape,
  read: (raw: unknown) => ReadValue<T>,
): Leaf<Present<T, O>> {
  const { sensitive = false } = options;
  return leaf(options, reading(json, read), expected, { sensitive });
}

/** `"a", "b" or "c"` */
export function wordList(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

function leaf<T, O extends KeyOptions>(
  options: O,
  schema: Schema<T>,
  expected: string,
  more: Partial<Pick<Leaf<T>, 'sensitive' | 'expectedFor' | 'quantity'>> = {},
): Leaf<Present<T, O>> {
  const { doc } = options;
  const { sensitive = false, expectedFor = () => expected, quantity: unit = null } = more;
  const complete =
    'default' in options ? withDefault(schema, options.default, doc) : optional(schema, doc);
  const absent: Absent = options;
  const fallback = readWith(complete, undefined);
  assert(fallback.ok, 'a default fits its own key');
  return {
    kind: 'leaf',
    schema: complete as Schema<Present<T, O>>,
    absent,
    whenAbsent: fallback.value as Present<T, O>,
    doc,
    expected,
    expectedFor,
    sensitive,
    quantity: unit,
  };
}

/** How a quantity is read, and what it looks like. */
interface QuantityKind {
  readonly what: 'duration' | 'size';
  readonly pattern: string;
  readonly parse: (text: string) => number | null;
  /** What a value that does not fit would be, as the file should have it; null: no idea. */
  readonly guess: (value: unknown) => string | null;
  readonly examples: string;
}

const DURATION: QuantityKind = {
  what: 'duration',
  pattern: DURATION_PATTERN,
  parse: parseDuration,
  guess: guessDuration,
  examples: '"250ms", "5s", "10m" or "1h"',
};

const SIZE: QuantityKind = {
  what: 'size',
  pattern: SIZE_PATTERN,
  parse: parseSize,
  guess: guessSize,
  examples: '"512B", "16KiB" or "1MiB"',
};

function quantity<O extends KeyOptions & Bounds<string> & { readonly zero?: string }>(
  options: O,
  kind: QuantityKind,
  range: string,
): Leaf<Present<number, O>> {
  const { what, pattern, parse } = kind;
  const min = present(parse(options.min), `${options.min} is a ${what}`);
  const max = present(parse(options.max), `${options.max} is a ${what}`);
  const read = (raw: string): ReadValue<number> => {
    const value = parse(raw);
    if (value === null) return fault('malformed', `not a ${what}`);
    if (value === 0 && options.zero !== undefined) return { ok: true, value };
    if (value < min) return fault('out-of-range', 'too small');
    return value > max ? fault('out-of-range', 'too large') : { ok: true, value };
  };
  const expected = options.zero === undefined ? range : `${range}, or "0s" for ${options.zero}`;
  const expectedFor = (value: unknown): string => {
    if (typeof value === 'string' && parse(value) !== null) return expected;
    const guess = kind.guess(value);
    if (guess !== null && read(guess).ok) return `"${guess}", ${expected}`;
    return `${expected}, written as ${kind.examples}`;
  };
  return leaf(options, stringSchema(read, pattern), expected, { expectedFor, quantity: what });
}

function stringSchema<T>(parse: (text: string) => ReadValue<T>, pattern?: string): Schema<T> {
  const json: JsonShape = { type: 'string', ...(pattern === undefined ? {} : { pattern }) };
  return reading(json, (raw) => readString(raw, parse));
}
