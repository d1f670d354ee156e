/**
 * What requests and answers of the control API look like. One description checks a request, types
 * its handler, and stands in the OpenAPI document.
 */

import { DURATION_PATTERN, formatDuration, parseDuration } from '../../config/quantity.js';
import { fault, fits, type ReadValue } from '../../config/reading.js';
import {
  anyBoolean,
  type JsonShape,
  jsonSchemaOf,
  listOf,
  optional as optionalSchema,
  reading,
  readWith,
  type Schema,
  tableOf,
} from '../../config/schema/library.js';
import { err, ok, type Result } from '../../core/result.js';
import { type Complaint, complaintsOf } from './complaints.js';

export type Shape<T> = Schema<T>;
export type ShapeOf<S> = S extends Shape<infer T> ? T : never;
export type Shapes = Readonly<Record<string, Shape<unknown>>>;
type Values<S extends Shapes> = { readonly [Name in keyof S]: ShapeOf<S[Name]> };

/** A terminal obeys them, or shows what stands behind them in another order or line. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** The same, as a request has it from end to end. */
const PRINTABLE = String.raw`^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]*$`;

const TIME_WANTED = 'expected a time such as 30s, 10m or 2h, one number with its unit';

/** Longest text in a request: a reason, or a name. */
const MAX_TEXT = 500;

export function text(doc: string, most: number = MAX_TEXT): Shape<string> {
  return described(doc, { type: 'string', maxLength: most, pattern: PRINTABLE }, (raw) => {
    if (typeof raw !== 'string') return fault('wrong-type', 'expected a text');
    if (raw.length > most) return fault('out-of-range', `expected at most ${most} characters`);
    return UNPRINTABLE.test(raw) ? fault('malformed', 'expected no control characters') : fits(raw);
  });
}

export function oneOf<const T extends string>(doc: string, values: readonly T[]): Shape<T> {
  return described(doc, { type: 'string', ...{ enum: values } }, (raw) => {
    const found = values.find((value) => value === raw);
    return found === undefined
      ? fault('unknown-value', `expected one of ${values.join(', ')}`)
      : fits(found);
  });
}

/** Digits are understood too: in a query all values are texts. */
export function whole(doc: string, least: number, most: number): Shape<number> {
  const json = { type: 'integer', ...{ minimum: least, maximum: most } } as const;
  return described(doc, json, (raw) => {
    const value = typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
    const fitting = typeof value === 'number' && Number.isInteger(value);
    return fitting && value >= least && value <= most
      ? fits(value)
      : fault('out-of-range', `expected a whole number from ${least} to ${most}`);
  });
}

/** Read as milliseconds; as texts like `30m`, from `leastMs` to `mostMs`. */
export function duration(doc: string, mostMs: number, leastMs = 0): Shape<number> {
  const bounds = `${formatDuration(leastMs)} to ${formatDuration(mostMs)}`;
  // JSON Schema has no word for bounds of a text that is a time.
  const told = `${doc} From ${bounds}.`;
  return described(told, { type: 'string', pattern: DURATION_PATTERN }, (raw) => {
    const ms = typeof raw === 'string' ? parseDuration(raw) : null;
    if (ms === null) return fault('malformed', TIME_WANTED);
    return ms < leastMs || ms > mostMs ? fault('out-of-range', `expected ${bounds}`) : fits(ms);
  });
}

export function flag(doc: string): Shape<boolean> {
  return anyBoolean().meta({ description: doc }) as Shape<boolean>;
}

/** A number in an answer. */
export function figure(doc: string): Shape<number> {
  return described(doc, { type: 'number' }, (raw) =>
    typeof raw === 'number' ? fits(raw) : fault('wrong-type', 'expected a number'),
  );
}

/** Any fields, of an answer. */
export function anyFields(doc: string): Shape<Readonly<Record<string, unknown>>> {
  return described(doc, { type: 'object' }, (raw) =>
    typeof raw === 'object' && raw !== null
      ? fits(raw as Readonly<Record<string, unknown>>)
      : fault('wrong-type', 'expected an object'),
  );
}

/** Of an answer. */
export function numberOrText(doc: string): Shape<number | string> {
  const json = { anyOf: [{ type: 'number' }, { type: 'string' }] };
  return described(doc, json, (raw) =>
    typeof raw === 'number' || typeof raw === 'string'
      ? fits(raw)
      : fault('wrong-type', 'expected a number or a text'),
  );
}

/** Of a request: a whole number from 0 on, or a text; both are described by `doc`, a sentence. */
export function wholeOrText(doc: string, most: number, pattern: RegExp): Shape<number | string> {
  const number = { type: 'integer', minimum: 0, maximum: most };
  const json = { anyOf: [number, { type: 'string', pattern: pattern.source }] };
  return described(doc, json, (raw) => {
    const isNumber = typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 && raw <= most;
    return isNumber || (typeof raw === 'string' && pattern.test(raw))
      ? fits(raw)
      : fault('malformed', `expected ${doc.replace(/\.$/, '')}`);
  });
}

/** `most`: of a request; an answer may have any number. */
export function list<T>(doc: string, of: Shape<T>, most?: number): Shape<readonly T[]> {
  const all = most === undefined ? listOf(of) : listOf(of, most);
  return all.meta({ description: doc }) as Shape<readonly T[]>;
}

export function nullable<T>(of: Shape<T>): Shape<T | null> {
  return of.nullable() as Shape<T | null>;
}

export function optional<T>(of: Shape<T>): Shape<T | undefined> {
  return optionalSchema(of, of.description ?? '');
}

/** Exactly these fields. */
export function record<S extends Shapes>(shapes: S): Shape<Values<S>> {
  return tableOf(shapes, {}) as Shape<Values<S>>;
}

/** Lists are answered in pages: `next` is what to ask for further ones, or null. */
export function page<T>(of: Shape<T>) {
  return record({
    items: list('The items.', of),
    next: nullable(text('What `cursor` of the next request is; null: these were the last.')),
  });
}

export function checkShape<T>(shape: Shape<T>, raw: unknown): Result<T, readonly Complaint[]> {
  const read = readWith(shape, raw);
  if (read.ok) return ok(read.value);
  return err(complaintsOf(shape, raw, read.faults));
}

/** As JSON Schema. */
export function schemaOf(shape: Shape<unknown>): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = jsonSchemaOf(shape);
  return schema;
}

function described<T>(
  doc: string,
  json: JsonShape,
  read: (raw: unknown) => ReadValue<T>,
): Shape<T> {
  return reading(json, read).meta({ ...json, description: doc });
}
