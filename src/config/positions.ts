/**
 * Where every key of a TOML text stands. The library reports positions of syntax errors only, so
 * this scans the text again, after the library has found it valid: it knows keys, headers and where
 * values end, and leaves the values themselves alone.
 */
import { type Path, pathKey } from './path.js';

export interface Position {
  /** 1 or more */
  readonly line: number;
  /** 1 or more, in UTF-16 units */
  readonly column: number;
}

export interface Positions {
  /** The place of the key, or of the element of a list, at exactly this path. */
  at(path: Path): Position | undefined;
  /** The same, or the place of the closest table around it; 1:1 when there is none. */
  near(path: Path): Position;
}

export function indexPositions(text: string): Positions {
  const places = new Scanner(text).scan();
  const at = (path: Path): Position | undefined => places.get(pathKey(path));
  return {
    at,
    near(path) {
      for (let length = path.length; length > 0; length--) {
        const place = at(path.slice(0, length));
        if (place !== undefined) return place;
      }
      return { line: 1, column: 1 };
    },
  };
}

/** Of a text whose positions are not needed. */
export const NO_POSITIONS: Positions = {
  at: () => undefined,
  near: () => ({ line: 1, column: 1 }),
};

/** Deeper than any key that is known; a dotted key may be as long as its file. */
const MAX_DEPTH = 64;

interface Segment {
  readonly name: string;
  readonly at: number;
}

class Scanner {
  readonly #text: string;
  readonly #lineStarts: readonly number[];
  readonly #places = new Map<string, Position>();
  /** By path of a list of tables: how many of them there are so far. */
  readonly #lists = new Map<string, number>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#lineStarts = lineStarts(text);
  }

  scan(): ReadonlyMap<string, Position> {
    let table: Path = [];
    for (this.#skip(); this.#at < this.#text.length; this.#skip()) {
      const before = this.#at;
      if (this.#text[this.#at] === '[') table = this.#header();
      else this.#pair(table);
      // Text that is not TOML must not hold us up.
      if (this.#at === before) this.#at++;
    }
    return this.#places;
  }

  #header(): Path {
    const isList = this.#text.startsWith('[[', this.#at);
    this.#at += isList ? 2 : 1;
    const segments = this.#key();
    this.#at += isList ? 2 : 1;
    const table = this.#place([], segments, 'header');
    if (!isList) return table;
    const count = this.#lists.get(pathKey(table)) ?? 0;
    this.#lists.set(pathKey(table), count + 1);
    const element = [...table, count];
    this.#mark(element, segments.at(-1)?.at ?? this.#at);
    return element;
  }

  #pair(table: Path): void {
    const path = this.#place(table, this.#key(), 'pair');
    this.#blanks();
    if (this.#text[this.#at] !== '=') return;
    this.#at++;
    this.#value(path);
  }

  /** Marks each table on the way that has no place yet, and goes into the last one of each list. */
  #place(from: Path, segments: readonly Segment[], where: 'header' | 'pair'): Path {
    let path = from;
    for (const [index, segment] of segments.slice(0, MAX_DEPTH).entries()) {
      path = [...path, segment.name];
      const isLast = index === segments.length - 1;
      const isNew = !this.#places.has(pathKey(path));
      const isOwnHeader = isLast && where === 'header' && !this.#lists.has(pathKey(path));
      if (isNew || isOwnHeader) this.#mark(path, segment.at);
      const count = this.#lists.get(pathKey(path));
      if (!isLast && count !== undefined) path = [...path, count - 1];
    }
    return path;
  }

  #key(): readonly Segment[] {
    const segments: Segment[] = [];
    do {
      if (segments.length > 0) this.#at++;
      this.#blanks();
      const at = this.#at;
      const quote = this.#text[at];
      if (quote === '"' || quote === "'") {
        this.#string();
        segments.push({ name: unquote(this.#text.slice(at, this.#at)), at });
      } else {
        this.#match(/[A-Za-z0-9_-]*/y);
        segments.push({ name: this.#text.slice(at, this.#at), at });
      }
      this.#blanks();
    } while (this.#text[this.#at] === '.');
    return segments;
  }

  #value(path: Path): void {
    this.#blanks();
    switch (this.#text[this.#at]) {
      case '"':
      case "'":
        this.#string();
        return;
      case '[':
        this.#inside(']', (index) => {
          this.#mark([...path, index], this.#at);
          this.#value([...path, index]);
        });
        return;
      case '{':
        this.#inside('}', () => this.#pair(path));
        return;
      default:
        this.#match(/[^,\]}#\r\n]*/y);
    }
  }

  /** The elements of a list or an inline table, up to `end`. */
  #inside(end: string, element: (index: number) => void): void {
    this.#at++;
    for (let index = 0; this.#at < this.#text.length; index++) {
      this.#skip();
      if (this.#text[this.#at] === end) break;
      const before = this.#at;
      element(index);
      this.#skip();
      if (this.#text[this.#at] === ',') this.#at++;
      if (this.#at === before) break;
    }
    this.#at++;
  }

  #string(): void {
    const quote = this.#text[this.#at] ?? '';
    const isBasic = quote === '"';
    if (this.#text.startsWith(quote.repeat(3), this.#at)) {
      // Up to two quotes may stand directly before the three that end it.
      this.#match(
        isBasic ? /"""(?:[^\\"]|\\[\s\S]|"(?!""))*"{3,5}/y : /'''(?:[^']|'(?!''))*'{3,5}/y,
      );
    } else {
      this.#match(isBasic ? /"(?:[^"\\\n]|\\.)*"?/y : /'[^'\n]*'?/y);
    }
  }

  #blanks(): void {
    this.#match(/[ \t]*/y);
  }

  #skip(): void {
    this.#match(/(?:[ \t\r\n\uFEFF]|#[^\n]*)*/y);
  }

  #match(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    if (pattern.test(this.#text)) this.#at = pattern.lastIndex;
  }

  #mark(path: Path, at: number): void {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    this.#places.set(pathKey(path), {
      line: low + 1,
      column: at - (this.#lineStarts[low] ?? 0) + 1,
    });
  }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** A quoted key's name; escapes as in JSON, and those that only TOML has. */
function unquote(quoted: string): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1);
  return quoted
    .slice(1, -1)
    .replace(/\\(?:x(..)|u(.{4})|U(.{8})|([\s\S]))/g, (_, x, u, long, one) => {
      const code = x ?? u ?? long;
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
      return ESCAPES[one] ?? one;
    });
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  e: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
