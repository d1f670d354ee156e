/** What is wrong with a request, field by field: what is wanted, and what came instead. Pure. */
import { bySimilarity, isSimilar } from '../../config/nearest.js';
import type { Path } from '../../config/path.js';
import type { Fault } from '../../config/reading.js';
import { jsonSchemaOf, type Schema } from '../../config/schema/library.js';
import { quote, showValue } from '../../config/show.js';

/** What is wrong with one part of a request; `field` is '' for all of it. */
export interface Complaint {
  readonly field: string;
  readonly problem: string;
}

/** As much of a JSON Schema as the shapes of requests use. */
interface Known {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Known>>;
  readonly items?: Known;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** Readers of single values say what they want; the rest is seen from the schema. */
const SAYS_WHAT_IT_WANTS = /^expected /;

export function complaintsOf(
  shape: Schema<unknown>,
  raw: unknown,
  faults: readonly Fault[],
): readonly Complaint[] {
  const schema = jsonSchemaOf(shape) as Known;
  const all = faults.map((fault) => ({
    field: fault.path.join('.'),
    problem: problemOf(fault, schema, raw),
  }));
  // What is no list is too short for one as well.
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

function problemOf({ code, path, problem }: Fault, schema: Known, raw: unknown): string {
  if (code === 'unknown-key') return unknownField(schemaAt(schema, path.slice(0, -1)), path);
  const wanted = SAYS_WHAT_IT_WANTS.test(problem)
    ? problem
    : `expected ${wantedBy(schemaAt(schema, path))}`;
  const value = path.reduce(partOf, raw);
  return value === undefined ? `missing, ${wanted}` : `${wanted}; got ${shown(value)}`;
}

function unknownField({ properties = {} }: Known, path: Path): string {
  const known = Object.keys(properties);
  const name = String(path.at(-1));
  const [nearest = ''] = bySimilarity(name, known);
  if (isSimilar(name, nearest)) return `no such field (did you mean ${nearest}?)`;
  return known.length === 0
    ? 'no such field, and there is none here'
    : `no such field; there is ${known.join(', ')}`;
}

function wantedBy({ type, properties = {}, minItems, maxItems }: Known): string {
  switch (type) {
    case 'array':
      return maxItems === undefined ? 'a list' : `a list of ${minItems ?? 0} to ${maxItems}`;
    case 'object': {
      const names = Object.keys(properties);
      return names.length === 0 ? 'an object' : `an object with ${names.join(', ')}`;
    }
    case 'boolean':
      return 'true or false';
    default:
      return 'another value';
  }
}

function schemaAt(schema: Known, path: Path): Known {
  return path.reduce<Known>((known, step) => {
    return (typeof step === 'number' ? known.items : known.properties?.[step]) ?? {};
  }, schema);
}

function partOf(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Readonly<Record<string | number, unknown>>)[step];
}

function shown(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : countOf(value.length);
  return typeof value === 'object' && value !== null ? 'an object' : showValue(value);
}

function countOf(items: number): string {
  return items === 1 ? 'a list of one' : `a list of ${items}`;
}
