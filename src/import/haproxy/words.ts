/**
 * The lines of an HAProxy file as words: quotes, escapes, variables of the environment, comments
 * and continued lines, as section 2.2 of its configuration manual has them.
 */
import { err, ok, type Result } from '../../core/result.js';
import { lookUp } from '../look_up.js';
import type { Word } from '../statement.js';

/** Variables of the environment by name. */
export type Environment = ReadonlyMap<string, string>;

export interface ConfigLine {
  /** The first one of those that are joined; 1 or more. */
  readonly line: number;
  readonly text: string;
}

/** Whether a line has a comment, which goes on nowhere, piece by piece. */
class CommentFinder {
  #quote = '';

  /** `piece` goes on where the one before it ended: a `#` outside of quotes begins a comment. */
  finds(piece: string): boolean {
    for (let at = 0; at < piece.length; at++) {
      const char = piece[at];
      if (char === '\\' && this.#quote !== "'") at++;
      else if (this.#quote !== '') this.#quote = char === this.#quote ? '' : this.#quote;
      else if (char === '#') return true;
      else if (char === '"' || char === "'") this.#quote = char;
    }
    return false;
  }
}

interface OpenLine {
  readonly line: number;
  text: string;
  readonly comment: CommentFinder;
}

/** Lines that end in a backslash go on in the next one. */
export function joinedLines(text: string): readonly ConfigLine[] {
  const found: ConfigLine[] = [];
  let open: OpenLine | null = null;
  for (const [index, raw] of text.split('\n').entries()) {
    const one: string = raw.replace(/\r$/, '');
    const current: OpenLine = open ?? {
      line: index + 1,
      text: '',
      comment: new CommentFinder(),
    };
    if (slashesAtEnd(one) % 2 === 1 && !current.comment.finds(one)) {
      current.text += `${one.slice(0, -1)} `;
      open = current;
      continue;
    }
    found.push({ line: current.line, text: current.text + one });
    open = null;
  }
  if (open !== null) found.push(open);
  return found;
}

function slashesAtEnd(text: string): number {
  let at = text.length;
  while (text[at - 1] === '\\') at--;
  return text.length - at;
}

/** U+DC80 to U+DCFF stand for the bytes from 0x80 on, which `\\xHH` writes. */
export const LONE_BYTES = 0xdc00;

const ESCAPES: Readonly<Record<string, string>> = {
  ' ': ' ',
  '#': '#',
  '\\': '\\',
  '"': '"',
  "'": "'",
  $: '$',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** The words of one line; a comment ends it. The error is a sentence. */
export function wordsOf(line: string, environment: Environment): Result<readonly Word[], string> {
  return new Lexer(line, environment).words();
}

class Lexer {
  readonly #text: string;
  readonly #environment: Environment;
  #at = 0;
  #value = '';
  #variables: string[] = [];
  #problem: string | null = null;

  constructor(text: string, environment: Environment) {
    this.#text = text;
    this.#environment = environment;
  }

  words(): Result<readonly Word[], string> {
    const found: Word[] = [];
    while (this.#skipSpace()) {
      const from = this.#at;
      this.#value = '';
      this.#variables = [];
      this.#word();
      if (this.#problem !== null) return err(this.#problem);
      const word = { value: this.#value, raw: this.#text.slice(from, this.#at) };
      const variables = this.#variables;
      found.push(variables.length === 0 ? word : { ...word, variables });
    }
    return ok(found);
  }

  /** False at the end of the line. */
  #skipSpace(): boolean {
    while (/[ \t]/.test(this.#text[this.#at] ?? '')) this.#at++;
    return this.#at < this.#text.length && this.#text[this.#at] !== '#';
  }

  #word(): void {
    while (this.#at < this.#text.length && this.#problem === null) {
      const char = this.#text[this.#at] ?? '';
      if (/[ \t#]/.test(char)) return;
      if (char === "'") this.#strong();
      else if (char === '"') this.#weak();
      else if (char === '\\') this.#escape();
      else this.#take(char);
    }
  }

  #take(char: string): void {
    this.#value += char;
    this.#at++;
  }

  #strong(): void {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end === -1) return this.#fail("a quote ' that is not closed");
    this.#value += this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return undefined;
  }

  #weak(): void {
    this.#at++;
    while (this.#problem === null) {
      const char = this.#text[this.#at];
      if (char === undefined) return this.#fail('a quote " that is not closed');
      if (char === '"') break;
      if (char === '\\') this.#escape();
      else if (char === '$') this.#variable();
      else this.#take(char);
    }
    this.#at++;
    return undefined;
  }

  #escape(): void {
    const next = this.#text[this.#at + 1];
    if (next === 'x') {
      const hex = /^[0-9A-Fa-f]{2}/.exec(this.#text.slice(this.#at + 2))?.[0];
      if (hex === undefined) return this.#fail('\\x without two hexadecimal digits');
      const byte = Number.parseInt(hex, 16);
      // A byte that is no character is half a surrogate pair until it is written.
      this.#value += String.fromCharCode(byte < 0x80 ? byte : LONE_BYTES + byte);
      this.#at += 4;
      return undefined;
    }
    const meant = next === undefined ? undefined : lookUp(ESCAPES, next);
    // Anything else is no escape: both characters stand for themselves.
    if (meant === undefined) return this.#take('\\');
    this.#value += meant;
    this.#at += 2;
    return undefined;
  }

  #variable(): void {
    const rest = this.#text.slice(this.#at);
    const match = /^\$(?:\{([A-Za-z_.][\w.]*)(?:\[\*\])?(?:-([^}"]*))?\}|([A-Za-z_.][\w.]*))/.exec(
      rest,
    );
    if (match === null) {
      if (/^\$\{/.test(rest)) return this.#fail('a variable in braces that is not closed');
      return this.#take('$');
    }
    const name = match[1] ?? match[3] ?? '';
    this.#value += this.#environment.get(name) ?? match[2] ?? '';
    this.#variables.push(name);
    this.#at += match[0].length;
    return undefined;
  }

  #fail(problem: string): void {
    this.#problem = problem;
  }
}
