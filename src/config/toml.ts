/** The only file that knows the TOML library: text in, tree of plain values or one fault out. */
import toml from 'toml';
import type { Path } from './path.js';

export type TomlTree = Readonly<Record<string, unknown>>;

export interface SyntaxFault {
  readonly line: number;
  readonly column: number;
  readonly problem: string;
  readonly expected: string;
  readonly got: string;
}

export type TomlReading =
  | { readonly ok: true; readonly tree: TomlTree }
  | { readonly ok: false; readonly fault: SyntaxFault };

/**
 * Stands for every date and time of the text: no key takes one, and a string must not look alike.
 */
export const TOML_DATE = Symbol('a date');

const asDate = { from: (): symbol => TOML_DATE };
const DATES = {
  ZonedDateTime: asDate,
  PlainDateTime: asDate,
  PlainDate: asDate,
  PlainTime: asDate,
};

/** Nesting far beyond any configuration, so that no input overflows the stack. */
const MAX_DEPTH = 32;
const MAX_EXCERPT = 20;
const OPTIONS = { maxDepth: MAX_DEPTH, useTemporal: true, temporal: DATES };

export function readToml(text: string): TomlReading {
  try {
    return { ok: true, tree: toml.parse(text, OPTIONS) };
  } catch (error) {
    return { ok: false, fault: describe(error, text) };
  }
}

/** The value at `path`, or undefined. */
export function valueAt(tree: unknown, path: Path): unknown {
  let node = tree;
  for (const segment of path) {
    if (node === null || typeof node !== 'object' || !Object.hasOwn(node, segment))
      return undefined;
    node = (node as Record<string | number, unknown>)[segment];
  }
  return node;
}

/** What the parser throws: its generated errors carry a location, its own ones line and column. */
interface ParserError {
  readonly message?: string;
  readonly line?: number;
  readonly column?: number;
  readonly location?: { readonly start: { readonly line: number; readonly column: number } };
  readonly found?: string | null;
  readonly expected?: readonly Expectation[] | null;
}

interface Expectation {
  readonly type?: string;
  readonly text?: string;
}

function describe(error: unknown, text: string): SyntaxFault {
  const known = error as ParserError;
  const line = known.location?.start.line ?? known.line ?? 1;
  const column = known.location?.start.column ?? known.column ?? 1;
  if (known.expected === undefined || known.expected === null) {
    const [problem, expected, shown] = sentenceFor(known.message ?? String(error));
    const got = excerpt(text, line, column, shown);
    return { line, column, problem, expected, got };
  }
  const expected = describeExpected(known.expected, known.found ?? '');
  const got = describeFound(known.found ?? null);
  return { line, column, problem: 'not valid TOML', expected, got };
}

/** The library's own sentences, by what they are about. */
const SENTENCES: readonly (readonly [about: RegExp, ...Sentence])[] = [
  [/redefine|extend|append/, 'defined twice', 'each key and each header once', 'key'],
  [/escape/, 'unknown escape', 'a TOML escape; single quotes leave backslashes alone', 'escape'],
  [/depth/, 'nested too deeply', `at most ${MAX_DEPTH} levels`, 'signs'],
  [/Integer/, 'integer too large', `at most ${Number.MAX_SAFE_INTEGER}`, 'signs'],
  [/date|time|offset/, 'no such date or time', 'a string in quotes', 'signs'],
];

type Sentence = readonly [problem: string, expected: string, shown: keyof typeof SHOWN];

/** What is shown of the text at the error, which may stand within a secret. */
const SHOWN = { key: /^[^=]*/, escape: /^\\?./, signs: /^[-+0-9._:TZ[\]{}]*/ } as const;

function sentenceFor(sentence: string): Sentence {
  const row = SENTENCES.find(([about]) => about.test(sentence));
  if (row === undefined) return ['not valid TOML', 'what TOML allows here', 'signs'];
  const [, ...told] = row;
  return told;
}

/** The library lists every character that could follow: named here by what was likely forgotten. */
function describeExpected(expected: readonly Expectation[], found: string): string {
  const literals = new Set(expected.flatMap(({ text }) => (text === undefined ? [] : [text])));
  const row = FORGOTTEN.find(([literal]) => literals.has(literal));
  if (row === undefined) return 'the rest of a value';
  // An unquoted duration, `5s`, is a number until its unit.
  const isWord = row[0] === '#' && /[A-Za-z.:/]/.test(found);
  return isWord ? 'the end of the line; text, durations and sizes stand in quotes' : row[1];
}

/** The first literal that could follow shows where in the text the error is. */
const FORGOTTEN: readonly (readonly [literal: string, expected: string])[] = [
  ['true', 'a value: a string in quotes, a number, true, false or a list'],
  ['=', '"=" and a value'],
  [',', '"," or the closing bracket'],
  [']', 'the closing bracket'],
  ['[', 'a key, a header in brackets or a comment'],
  ['\\x', 'the closing quote, or an escape'],
  ["'''", 'the closing quotes'],
  ['#', 'the end of the line'],
  ['"', 'a key'],
  ["'", 'the closing quote'],
];

function describeFound(found: string | null): string {
  if (found === null) return 'the end of the file';
  return found === '\n' || found === '\r' ? 'the end of the line' : JSON.stringify(found);
}

/** The beginning of what stands at a place, as far as it may be shown. */
function excerpt(text: string, line: number, column: number, shown: keyof typeof SHOWN): string {
  const ofLine = (text.split('\n')[line - 1] ?? '').slice(column - 1);
  const rest = (SHOWN[shown].exec(ofLine)?.[0] ?? '').trimEnd();
  return JSON.stringify(rest.length > MAX_EXCERPT ? `${rest.slice(0, MAX_EXCERPT)}…` : rest);
}
