/** A program in a terminal of its own, script(1): what stands on its screen, and keys for it. */
import { stripVTControlCharacters } from 'node:util';
import type { Test } from 'tap';
import { present } from '../../src/core/assert.js';
import { Feed } from './feed.js';
import { type Child, mustRun, startChild } from './process.js';

/** A program draws whole screens: from a synchronized update's begin to its end. */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal obeys.
const ROW = /\u001b\[\d+;1H/;

export type Drawn = readonly string[];

export class Terminal {
  readonly child: Child;
  /** Screens as rows, in order. */
  readonly screens = new Feed<Drawn>();
  /** All that was written, as it came. */
  text = '';
  readonly #pieces = new Feed<string>();
  #rest = '';
  readonly #name: Promise<string>;

  constructor(t: Test, command: readonly string[], { columns, rows }: TerminalSize) {
    const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const line = `tty; stty rows ${rows} cols ${columns}; exec ${quoted}`;
    const args = ['--quiet', '--flush', '--return', '--command', line, '/dev/null'];
    this.child = startChild(t, 'script', args, {
      rawOutput: true,
      env: { TERM: 'xterm', NO_COLOR: '', SHELL: '/bin/sh' },
    });
    const lines = new Feed<string>();
    this.#name = lines.first('the name of the terminal', () => true);
    this.#name.catch(() => {});
    this.child.output.setEncoding('utf8');
    this.child.output.on('data', (chunk: string) => {
      this.text += chunk;
      this.#pieces.push(chunk);
      const name = /\/dev\/pts\/\d+/.exec(this.text)?.[0];
      if (name !== undefined && lines.past.length === 0) lines.push(name);
      this.#draw(chunk);
    });
    this.child.output.on('end', () => {
      this.screens.end(`the program ended: ${this.text}`);
      this.#pieces.end(`the program ended: ${this.text}`);
    });
  }

  press(keys: string): void {
    this.child.write(keys);
  }

  async resize({ columns, rows }: TerminalSize): Promise<void> {
    await mustRun('stty', ['-F', await this.#name, 'rows', `${rows}`, 'cols', `${columns}`]);
  }

  /** The first screen from now on, the last one included, with a row that has `pattern`. */
  async shows(pattern: RegExp): Promise<Drawn> {
    const matches = (drawn: Drawn): boolean => drawn.some((row) => pattern.test(row));
    const last = this.screens.past.at(-1);
    if (last !== undefined && matches(last)) return last;
    return this.screens.next(`a screen with ${pattern}`, matches);
  }

  /** The first match of `pattern` in what is written behind the first `from` characters. */
  async writes(pattern: RegExp, from: number): Promise<RegExpExecArray> {
    const find = (): RegExpExecArray | null => pattern.exec(this.text.slice(from));
    if (find() === null) await this.#pieces.next(`${pattern} in a terminal`, () => find() !== null);
    return present(find(), `${pattern}`);
  }

  #draw(chunk: string): void {
    this.#rest += chunk;
    for (;;) {
      const end = this.#rest.indexOf(END);
      if (end < 0) return;
      const begin = this.#rest.lastIndexOf(BEGIN, end);
      const drawn = this.#rest
        .slice(begin + BEGIN.length, end)
        .split(ROW)
        .slice(1);
      this.#rest = this.#rest.slice(end + END.length);
      this.screens.push(drawn.map((row) => stripVTControlCharacters(row)));
    }
  }
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}
