/** The only file that knows the TOML library: text in, tree of plain values or one fault out. */
import toml from 'toml';
import type { Path } from './path.js';

/** What TOML reads as; dates come as Date objects or strings and fit no key of ours. */
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

/** Nesting far beyond any configuration, so that no input overflows the stack. */
const MAX_DEPTH = 32;

export function readToml(text: string): TomlReading {
  try {
    return { ok: true, tree: toml.parse(text, { maxDepth: MAX_DEPTH }) };
  } catch (error) {
    return { ok: false, fault: describe(error) };
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

function describe(error: unknown): SyntaxFault {
  const known = error as ParserError;
  const line = known.location?.start.line ?? known.line ?? 1;
  const column = known.location?.start.column ?? known.column ?? 1;
  if (known.expected === undefined || known.expected === null) {
    const own = ownFault(known.message ?? String(error));
    return { line, column, ...own };
  }
  return {
    line,
    column,
    problem: 'not valid TOML',
    expected: describeExpected(known.expected),
    got: describeFound(known.found ?? null),
  };
}

function ownFault(message: string): { problem: string; expected: string; got: string } {
  const twice = /^Cannot redefine existing key '(.*)'/s.exec(message);
  if (twice !== null) {
    return { problem: 'defined twice', expected: 'each key once', got: `${twice[1]} again` };
  }
  const sentence = message.split('. ')[0] ?? message;
  return { problem: 'not valid TOML', expected: 'what TOML allows here', got: sentence };
}

/** The library lists every character that could follow: named here by what the operator forgot. */
function describeExpected(expected: readonly Expectation[]): string {
  const literals = new Set(expected.flatMap(({ text }) => (text === undefined ? [] : [text])));
  if (literals.has('true')) return 'a value: a string in quotes, a number, true, false or a list';
  if (literals.has('=')) return '"=" and a value';
  if (literals.has(']')) return '"]"';
  if (literals.has('}')) return '"}"';
  if (literals.has('\\x')) return 'the closing quote, or a valid escape';
  if (literals.has('#')) return 'the end of the line';
  return 'a key, a header or a comment';
}

function describeFound(found: string | null): string {
  if (found === null) return 'the end of the file';
  return found === '\n' || found === '\r' ? 'the end of the line' : JSON.stringify(found);
}
