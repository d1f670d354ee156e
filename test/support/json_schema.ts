/** Checks a value against the part of JSON Schema, draft 7, that the generated schema uses. */

type Json = Readonly<Record<string, unknown>>;

/** Keywords that say nothing about what is valid. */
const ANNOTATIONS = ['$schema', '$comment', 'title', 'description', 'default', 'then'];

/** True when `value` is valid; a keyword that is not known here throws. */
export function isValid(schema: unknown, value: unknown): boolean {
  if (typeof schema === 'boolean') return schema;
  const rules = schema as Json;
  return Object.entries(rules).every(([keyword, rule]) => {
    if (ANNOTATIONS.includes(keyword)) return true;
    const check = KEYWORDS[keyword];
    if (check === undefined) throw new Error(`unknown keyword ${keyword}`);
    return check(rule, value, rules);
  });
}

const KEYWORDS: Readonly<Record<string, (rule: unknown, value: unknown, all: Json) => boolean>> = {
  type: (rule, value) => [rule].flat().some((one) => typesOf(value).includes(String(one))),
  const: (rule, value) => rule === value,
  enum: (rule, value) => (rule as readonly unknown[]).includes(value),
  pattern: (rule, value) => typeof value !== 'string' || new RegExp(String(rule), 'u').test(value),
  maxLength: (rule, value) => typeof value !== 'string' || value.length <= Number(rule),
  minLength: (rule, value) => typeof value !== 'string' || value.length >= Number(rule),
  minimum: (rule, value) => typeof value !== 'number' || value >= Number(rule),
  maximum: (rule, value) => typeof value !== 'number' || value <= Number(rule),
  minItems: (rule, value) => !Array.isArray(value) || value.length >= Number(rule),
  maxItems: (rule, value) => !Array.isArray(value) || value.length <= Number(rule),
  items: (rule, value) => !Array.isArray(value) || value.every((one) => isValid(rule, one)),
  required: (rule, value) =>
    !isTable(value) || (rule as readonly string[]).every((key) => Object.hasOwn(value, key)),
  properties: (rule, value) =>
    !isTable(value) ||
    Object.entries(rule as Json).every(
      ([key, below]) => !Object.hasOwn(value, key) || isValid(below, value[key]),
    ),
  propertyNames: (rule, value) =>
    !isTable(value) || Object.keys(value).every((key) => isValid(rule, key)),
  additionalProperties: (rule, value, { properties = {} }) =>
    !isTable(value) ||
    Object.entries(value).every(
      ([key, below]) => Object.hasOwn(properties as Json, key) || isValid(rule, below),
    ),
  not: (rule, value) => !isValid(rule, value),
  anyOf: (rule, value) => (rule as readonly unknown[]).some((one) => isValid(one, value)),
  allOf: (rule, value) => (rule as readonly unknown[]).every((one) => isValid(one, value)),
  if: (rule, value, { then = true }) => !isValid(rule, value) || isValid(then, value),
};

function typesOf(value: unknown): readonly string[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  if (typeof value === 'number')
    return Number.isInteger(value) ? ['number', 'integer'] : ['number'];
  return [typeof value];
}

function isTable(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
