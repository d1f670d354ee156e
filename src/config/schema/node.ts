/**
 * What a configuration is made of: keys with one value, and the tables around them. Reading,
 * checking and the generated reference all follow from this one description.
 */
import { listOf, namedOf, optional, type Schema, tableOf, withDefault } from './library.js';

export type TomlScalar = string | number | boolean;
export type TomlValue = TomlScalar | readonly TomlScalar[];

/** What takes the place of a key that is absent. */
export type Absent =
  | { readonly default: TomlValue }
  /** In words: something that is found elsewhere, or nothing. */
  | { readonly otherwise: string; readonly example: TomlValue }
  /** The check of its table reports it. */
  | { readonly required: true; readonly example: TomlValue };

export type KeyOptions = Absent & {
  /** For the reference: what it does and what special values mean. */
  readonly doc: string;
};

/** A key with one value. */
export interface Leaf<T> {
  readonly kind: 'leaf';
  readonly schema: Schema<T>;
  readonly absent: Absent;
  /** What it reads as when the file does not have it. */
  readonly whenAbsent: T;
  readonly doc: string;
  /** In words, after "expected": `a duration from "1ms" to "1h"`. */
  readonly expected: string;
  /** The same where the file has `value`, which does not fit: what was likely meant first. */
  readonly expectedFor: (value: unknown) => string;
  /** True: the value must never be shown. */
  readonly sensitive: boolean;
  /** A number with a unit: which one; null: it is none. */
  readonly quantity: 'duration' | 'size' | null;
}

/** Keys under one header. `T` is what it reads as. */
export interface TableNode<F extends Fields = Fields, T = unknown> {
  readonly kind: 'table';
  readonly schema: Schema<T>;
  readonly fields: F;
  /** `always`: without it in the file all its keys have their defaults. */
  readonly presence: 'always' | 'optional';
  readonly doc: string;
}

/** Tables by a name that the operator chooses, `[pools.NAME]`. */
export interface Named<T = unknown> {
  readonly kind: 'named';
  readonly schema: Schema<Readonly<Record<string, T>>>;
  readonly of: TableNode<Fields, T>;
}

/** A list of tables, `[[pools.NAME.backends]]`. */
export interface Listed<T = unknown> {
  readonly kind: 'listed';
  readonly schema: Schema<readonly T[]>;
  readonly of: TableNode<Fields, T>;
}

export type Node = Leaf<unknown> | TableNode | Named | Listed;
export type Fields = Readonly<Record<string, Node>>;
/** What the node `N` reads as. */
export type ValueOf<N> = N extends { readonly schema: Schema<infer T> } ? T : never;
export type TableValue<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** Undefined only where no default takes the place of an absent key. */
export type Present<T, O> = O extends { readonly default: unknown } ? T : T | undefined;

/** Names of listeners and pools: they become metric labels and arguments of commands. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/**
 * A section that is always there, by its defaults if the file has none. `json` is for editors only.
 */
export function table<F extends Fields>(
  doc: string,
  fields: F,
  json: object = {},
): TableNode<F, TableValue<F>> {
  return {
    kind: 'table',
    schema: withDefault(schemaOf(fields, json), {}, doc),
    fields,
    presence: 'always',
    doc,
  };
}

/** A section whose absence means "off". */
export function optionalTable<F extends Fields>(
  doc: string,
  fields: F,
): TableNode<F, TableValue<F> | undefined> {
  return {
    kind: 'table',
    schema: optional(schemaOf(fields, {}), doc),
    fields,
    presence: 'optional',
    doc,
  };
}

export function named<T>(of: TableNode<Fields, T>): Named<T> {
  return { kind: 'named', schema: withDefault(namedOf(of.schema, NAME_PATTERN), {}, of.doc), of };
}

export function listed<T>(of: TableNode<Fields, T>): Listed<T> {
  return { kind: 'listed', schema: withDefault(listOf(of.schema), [], of.doc), of };
}

function schemaOf<F extends Fields>(fields: F, json: object): Schema<TableValue<F>> {
  const shape = Object.fromEntries(Object.entries(fields).map(([key, node]) => [key, node.schema]));
  const required = Object.entries(fields).flatMap(([key, node]) =>
    node.kind === 'leaf' && 'required' in node.absent ? [key] : [],
  );
  const more = required.length === 0 ? json : { ...json, required };
  return tableOf(shape, more) as Schema<TableValue<F>>;
}
