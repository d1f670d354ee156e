/** What holds for every key: samples fit, bounds are exact, and no other type gets through. */
import t from 'tap';
import { formatToml, keysOf } from '../../../src/config/generate/keys.js';
import { ISSUE_CODES } from '../../../src/config/issue.js';
import { loadConfig } from '../../../src/config/load.js';
import { formatDuration, parseDuration } from '../../../src/config/quantity.js';
import { readWith } from '../../../src/config/schema/library.js';
import { type FoundSection, sections } from '../../../src/config/schema/lookup.js';
import type { Leaf } from '../../../src/config/schema/node.js';
import { ROOT } from '../../../src/config/schema/root.js';

interface Key {
  readonly section: FoundSection;
  readonly key: string;
  readonly leaf: Leaf<unknown>;
}

const KEYS: readonly Key[] = sections(ROOT).flatMap((section) =>
  Object.entries(section.table.fields).flatMap(([key, leaf]) =>
    leaf.kind === 'leaf' ? [{ section, key, leaf }] : [],
  ),
);

/** The codes of the problems at this very key when it has this value. */
function codesOf({ section, key }: Key, value: string): readonly string[] {
  const header = section.header.replaceAll('NAME', 'n');
  const loaded = loadConfig(`${header}\n${key} = ${value}\n`, 'f', { refused: [] });
  const end = `.${key}`;
  return loaded.ok
    ? []
    : loaded.error
        .filter((issue) => issue.key.replace(/\[\d+\]$/, '').endsWith(end))
        .map(({ code }) => code);
}

const OTHERS = [
  '5',
  '-1',
  '0.5',
  'true',
  '"x"',
  '""',
  '[]',
  '[5]',
  '{}',
  '2026-01-01',
  'nan',
  'inf',
];
/** What a value by itself may be blamed for. */
const BY_ITSELF = [
  'wrong-type',
  'malformed',
  'unknown-value',
  'out-of-range',
  'missing',
  'bad-name',
];

t.equal(KEYS.length, new Set(KEYS.map(({ section, key }) => `${section.header} ${key}`)).size);
t.ok(KEYS.length > 60, `there are ${KEYS.length} keys`);

t.test('the default and the example of every key fit it', async (t) => {
  for (const { key, leaf, section } of KEYS) {
    const text = keysOf(section).find((one) => one.key === key);
    t.ok(text !== undefined && readWith(leaf.schema, text.example).ok, `${section.header} ${key}`);
  }
});

t.test('every key is documented in a sentence', async (t) => {
  for (const { key, leaf, section } of KEYS) {
    t.match(leaf.doc, /^.{5,}[.]$/, `${section.header} ${key}`);
    t.notMatch(leaf.expected, /undefined|NaN|\[object/, `${section.header} ${key}`);
  }
});

t.test('a value of another type is a problem of that key, and never a crash', async (t) => {
  for (const one of KEYS) {
    const refused = OTHERS.filter((value) =>
      codesOf(one, value).some((code) => BY_ITSELF.includes(code)),
    );
    t.ok(refused.length >= OTHERS.length - 5, `${one.section.header} ${one.key}: ${refused}`);
    t.ok(refused.includes('{}') && refused.includes('2026-01-01') && refused.includes('nan'));
  }
});

t.test('bare numbers are refused where a unit belongs', async (t) => {
  const quantities = KEYS.filter(({ leaf }) => /^a (duration|size)/.test(leaf.expected));
  t.ok(quantities.length > 15);
  for (const one of quantities) t.ok(codesOf(one, '5').includes('wrong-type'), one.key);
});

t.test('both bounds of a number belong to it, and nothing beyond', async (t) => {
  const numbers = KEYS.flatMap((one) => {
    const match = /^an? (integer|number) from (\d+) to (\d+)$/.exec(one.leaf.expected);
    return match === null
      ? []
      : [{ one, kind: match[1], min: Number(match[2]), max: Number(match[3]) }];
  });
  t.ok(numbers.length > 15);
  for (const { one, kind, min, max } of numbers) {
    const fits = (value: number): boolean => readWith(one.leaf.schema, value).ok;
    const step = kind === 'integer' ? 1 : 0.001;
    t.ok(fits(min) && fits(max), `${one.key} from ${min} to ${max}`);
    t.notOk(fits(min - step) || fits(max + step), `${one.key} and nothing beyond`);
    if (kind === 'integer') t.notOk(fits(min + 0.5), `${one.key} is whole`);
  }
});

t.test(
  'both bounds of a duration belong to it, and nothing beyond but a zero that is named',
  async (t) => {
    const durations = KEYS.flatMap((one) => {
      const match = /^a duration from "(\w+)" to "(\w+)"(.*)$/.exec(one.leaf.expected);
      return match === null
        ? []
        : [{ one, min: match[1] ?? '', max: match[2] ?? '', zero: match[3] !== '' }];
    });
    t.ok(durations.length > 15);
    for (const { one, min, max, zero } of durations) {
      const fits = (text: string): boolean => readWith(one.leaf.schema, text).ok;
      const shorter = formatDuration((parseDuration(min) ?? 0) - 1);
      const longer = formatDuration((parseDuration(max) ?? 0) + 1);
      t.ok(fits(min) && fits(max), `${one.key} from ${min} to ${max}`);
      t.notOk(fits(longer), `${one.key} ${longer}`);
      t.equal(fits('0s'), zero, `${one.key} 0s`);
      if (shorter !== '0s') t.notOk(fits(shorter), `${one.key} ${shorter}`);
    }
  },
);

t.test('a size has its bounds too', async (t) => {
  const sizes = KEYS.filter(({ leaf }) => leaf.expected === 'a size from "0B" to "64KiB"');
  t.equal(sizes.length, 1);
  for (const { leaf } of sizes) {
    t.ok(readWith(leaf.schema, '0B').ok && readWith(leaf.schema, '64KiB').ok);
    t.notOk(readWith(leaf.schema, '65537B').ok);
  }
});

t.test('every word of a choice fits', async (t) => {
  for (const { key, leaf } of KEYS) {
    if (!/^("[\w-]+", )*"[\w-]+" or "[\w-]+"$/.test(leaf.expected)) continue;
    for (const [, word] of leaf.expected.matchAll(/"([\w-]+)"/g)) {
      t.ok(readWith(leaf.schema, word).ok, `${key} ${word}`);
    }
  }
});

t.test('codes of problems are those of the catalogue', async (t) => {
  for (const code of BY_ITSELF) t.ok(Object.hasOwn(ISSUE_CODES, code), code);
  t.equal(formatToml(['a\\b', 1, true]), `['a\\b', 1, true]`);
});
