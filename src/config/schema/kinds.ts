/**
 * The kinds of keys. One call fixes everything about a key: type, bounds, default, documentation.
 */
import { present } from '../../core/assert.js';
import { DURATION_PATTERN, parseDuration, parseSize, SIZE_PATTERN } from '../quantity.js';
import { fault, type Reading } from '../reading.js';
import {
  anyBoolean,
  integerBetween,
  type JsonShape,
  numberBetween,
  oneOf,
  optional,
  reading,
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
  return quantity(options, 'duration', range, DURATION_PATTERN, parseDuration);
}

/** Read as bytes. */
export function size<const O extends KeyOptions & Bounds<string>>(
  options: O,
): Leaf<Present<number, O>> {
  const range = `a size from "${options.min}" to "${options.max}"`;
  return quantity(options, 'size', range, SIZE_PATTERN, parseSize);
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
  return leaf(options, oneOf(values), wordList(values.map((value) => JSON.stringify(value))));
}

/** A string that `parse` understands; `expected` says what it looks like. */
export function text<T, const O extends KeyOptions & { readonly sensitive?: true }>(
  options: O,
  expected: string,
  parse: (text: string) => Reading<T>,
  pattern?: string,
): Leaf<Present<T, O>> {
  return leaf(options, stringSchema(parse, pattern), expected, options.sensitive ?? false);
}

/** A value of more than one type. */
export function mixed<T, const O extends KeyOptions>(
  options: O,
  expected: string,
  json: JsonShape,
  read: (raw: unknown) => Reading<T>,
): Leaf<Present<T, O>> {
  return leaf(options, reading(json, read), expected);
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
  sensitive = false,
): Leaf<Present<T, O>> {
  const { doc } = options;
  const complete =
    'default' in options ? withDefault(schema, options.default, doc) : optional(schema, doc);
  const absent: Absent = options;
  return {
    kind: 'leaf',
    schema: complete as Schema<Present<T, O>>,
    absent,
    doc,
    expected,
    sensitive,
  };
}

function quantity<O extends KeyOptions & Bounds<string> & { readonly zero?: string }>(
  options: O,
  what: string,
  range: string,
  pattern: string,
  parse: (text: string) => number | null,
): Leaf<Present<number, O>> {
  const min = present(parse(options.min), `${options.min} is a ${what}`);
  const max = present(parse(options.max), `${options.max} is a ${what}`);
  const read = (raw: string): Reading<number> => {
    const value = parse(raw);
    if (value === null) return fault('malformed', `not a ${what}`);
    if (value === 0 && options.zero !== undefined) return { ok: true, value };
    if (value < min) return fault('out-of-range', 'too small');
    return value > max ? fault('out-of-range', 'too large') : { ok: true, value };
  };
  const expected = options.zero === undefined ? range : `${range}, or "0s" for ${options.zero}`;
  return leaf(options, stringSchema(read, pattern), expected);
}

function stringSchema<T>(parse: (text: string) => Reading<T>, pattern?: string): Schema<T> {
  const json: JsonShape = { type: 'string', ...(pattern === undefined ? {} : { pattern }) };
  return reading(json, (raw) =>
    typeof raw === 'string' ? parse(raw) : fault('wrong-type', 'wrong type'),
  );
}
