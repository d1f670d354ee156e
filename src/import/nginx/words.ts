/** nginx' configuration as a tree of statements: quotes, escapes, comments and blocks. */
import { err, ok, type Result } from '../../core/result.js';
import type { ImportSyntaxFault, SourceText } from '../source.js';
import { Statement, type Word } from '../statement.js';

export interface StatementNode {
  readonly statement: Statement;
  /** Null: a statement that ends in `;`. */
  readonly children: StatementNode[] | null;
}

/** nginx nests no deeper than a few blocks. */
const MAX_DEPTH = 32;

export function readNodes(source: SourceText): Result<readonly StatementNode[], ImportSyntaxFault> {
  return new Reader(source).read();
}

class Reader {
  readonly #file: string;
  readonly #text: string;
  #at = 0;
  #line = 1;
  #problem: string | null = null;

  constructor({ file, text }: SourceText) {
    this.#file = file;
    this.#text = text;
  }

  read(): Result<readonly StatementNode[], ImportSyntaxFault> {
    const root: StatementNode[] = [];
    const open: { readonly into: StatementNode[]; readonly line: number }[] = [
      { into: root, line: 1 },
    ];
    let words: Word[] = [];
    let begun = 1;
    const fault = (problem: string, line = this.#line): Result<never, ImportSyntaxFault> =>
      err({ file: this.#file, line, problem });
    const node = (children: StatementNode[] | null): void => {
      const statement = new Statement({ file: this.#file, line: begun }, words);
      open.at(-1)?.into.push({ statement, children });
      words = [];
    };
    while (this.#skip()) {
      const char = this.#text[this.#at];
      if (words.length === 0) begun = this.#line;
      if (char === ';' || char === '{') {
        this.#at++;
        if (words.length === 0) return fault(`${char} without a directive before it`);
        const children: StatementNode[] | null = char === '{' ? [] : null;
        node(children);
        if (children !== null) open.push({ into: children, line: begun });
        if (open.length > MAX_DEPTH)
          return fault(`more than ${MAX_DEPTH} blocks within each other`);
      } else if (char === '}') {
        this.#at++;
        if (words.length > 0) return fault(`${words[0]?.raw ?? ''} has no ; at its end`, begun);
        if (open.length === 1) return fault('a } that closes nothing');
        open.pop();
      } else words.push(this.#word());
      if (this.#problem !== null) return fault(this.#problem);
    }
    if (words.length > 0) return fault(`${words[0]?.raw ?? ''} has no ; at its end`, begun);
    if (open.length > 1) return fault('a block that is not closed', open.at(-1)?.line);
    return ok(root);
  }

  /** Spaces and comments; false at the end. */
  #skip(): boolean {
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] ?? '';
      if (char === '\n') this.#line++;
      else if (char === '#') {
        while (this.#at + 1 < this.#text.length && this.#text[this.#at + 1] !== '\n') this.#at++;
      } else if (!/[ \t\r]/.test(char)) return true;
    }
    return false;
  }

  #word(): Word {
    const from = this.#at;
    const quote = /["']/.exec(this.#text[from] ?? '')?.[0];
    const value = quote === undefined ? this.#plain() : this.#quoted(quote);
    return { value, raw: this.#text.slice(from, this.#at).replace(/\s+/g, ' ') };
  }

  #quoted(quote: string): string {
    let value = '';
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] ?? '';
      if (char === quote) {
        this.#at++;
        if (!/^(?:[ \t\r\n;{)]|$)/.test(this.#text.slice(this.#at, this.#at + 1))) {
          this.#problem = 'a quoted word that goes on behind its quote';
        }
        return value;
      }
      value += char === '\\' ? this.#escaped() : char;
      if (this.#text[this.#at] === '\n') this.#line++;
    }
    this.#problem = `a quote ${quote} that is not closed`;
    return value;
  }

  /** Up to a space, `;` or `{`; that of `${name}` is no block. */
  #plain(): string {
    let value = '';
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] ?? '';
      if (/[ \t\r\n;]/.test(char) || (char === '{' && !value.endsWith('$'))) return value;
      value += char === '\\' ? this.#escaped() : char;
    }
    return value;
  }

  /** The character behind a backslash; of most, the backslash stays. */
  #escaped(): string {
    const next = this.#text[this.#at + 1] ?? '';
    if (next === '') return '\\';
    this.#at++;
    if (next === '\n') this.#line++;
    const known: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' };
    if (/["'\\]/.test(next)) return next;
    return /[trn]/.test(next) ? (known[next] ?? next) : `\\${next}`;
  }
}
