/**
 * The only file that knows the schema library. It offers the few kinds of schema that a
 * configuration needs, reads a value against one, and prints one as JSON Schema.
 */
import { z } from 'zod';
import type { Fault, ReadValue } from '../reading.js';

export type Schema<T> = z.ZodType<T>;

/** What the JSON Schema says of a value that `reading` reads by itself. */
export interface JsonShape {
  readonly type?: 'string' | 'number' | 'integer' | 'object';
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly anyOf?: readonly object[];
}

/** A value that `read` understands, whatever its type. */
export function reading<T>(json: JsonShape, read: (raw: unknown) => ReadValue<T>): Schema<T> {
  return z
    .unknown()
    .transform((raw, context) => {
      const outcome = read(raw);
      if (outcome.ok) return outcome.value;
      for (const { code, path, problem } of outcome.faults) {
        context.addIssue({ code: 'custom', message: problem, path: [...path], params: { code } });
      }
      return z.NEVER;
    })
    .meta({ ...json });
}

export function integerBetween(min: number, max: number): Schema<number> {
  return z.int().min(min).max(max);
}

export function numberBetween(min: number, max: number): Schema<number> {
  return z.number().min(min).max(max);
}

export function anyBoolean(): Schema<boolean> {
  return z.boolean();
}

export function oneOf<const T extends string>(values: readonly T[]): Schema<T> {
  return z.enum(values) as unknown as Schema<T>;
}

/** The same with a value that takes the place of one that is absent, read as if the file had it. */
export function withDefault<T>(schema: Schema<T>, fallback: unknown, doc: string): Schema<T> {
  return schema.prefault(fallback as never).meta({ description: doc });
}

export function optional<T>(schema: Schema<T>, doc: string): Schema<T | undefined> {
  return schema.optional().meta({ description: doc });
}

/** `json` is added to what the JSON Schema says of it. */
export function tableOf(
  shape: Readonly<Record<string, Schema<unknown>>>,
  json: object,
): Schema<unknown> {
  return z.strictObject(shape).meta({ ...json });
}

/** Tables by name. */
export function namedOf<T>(of: Schema<T>, namePattern: RegExp): Schema<Record<string, T>> {
  return z.record(z.string().regex(namePattern), of);
}

/** `most`: with at least one item, and at most this many. */
export function listOf<T>(of: Schema<T>, most?: number): Schema<T[]> {
  return most === undefined ? z.array(of) : z.array(of).min(1).max(most);
}

/** Reads `raw`; every fault is reported, not only the first. */
export function readWith<T>(schema: Schema<T>, raw: unknown): ReadValue<T> {
  const outcome = schema.safeParse(raw);
  if (outcome.success) return { ok: true, value: outcome.data };
  return { ok: false, faults: withoutRepeats(outcome.error.issues.flatMap(translate)) };
}

/** JSON Schema, draft 7 (what editors' TOML support understands), of what a file may contain. */
export function jsonSchemaOf(schema: Schema<unknown>): Record<string, unknown> {
  return { ...z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) };
}

/**
 * An integer beyond the safe range is too large twice: for the library's own bound and for ours.
 */
function withoutRepeats(faults: readonly Fault[]): readonly Fault[] {
  return [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()];
}

function translate(issue: z.core.$ZodIssue): readonly Fault[] {
  const path = issue.path.map((segment) =>
    typeof segment === 'number' ? segment : String(segment),
  );
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        code: 'unknown-key',
        path: [...path, key],
        problem: 'unknown key',
      }));
    case 'invalid_key':
      return [{ code: 'bad-name', path, problem: 'not a usable name' }];
    case 'invalid_value':
      return [{ code: 'unknown-value', path, problem: 'unknown value' }];
    case 'too_small':
      return [{ code: 'out-of-range', path, problem: 'too small' }];
    case 'too_big':
      return [{ code: 'out-of-range', path, problem: 'too large' }];
    case 'custom': {
      const { code } = issue.params as Pick<Fault, 'code'>;
      return [{ code, path, problem: issue.message }];
    }
    default:
      return [{ code: 'wrong-type', path, problem: 'wrong type' }];
  }
}
