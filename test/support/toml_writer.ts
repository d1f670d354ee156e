/** Writes random TOML in every style that it has, and notes where each key stands. */
import type { Path } from '../../src/config/path.js';
import { below, type Random } from '../../src/core/random.js';

export interface Placed {
  readonly path: Path;
  readonly line: number;
  readonly column: number;
}

const SCALARS = [
  '1',
  '-0.5',
  'true',
  '"text # no comment"',
  '"with \\" quote"',
  "'literal \\'",
  '"""\nseveral = "lines"\n[x]\n"""',
  "'''\n'quoted' lines ''''",
  '2026-01-02 03:04:05',
  'inf',
];
const SPACE = ['', ' ', '  ', '\t'];
const GAPS = ['', '\n', '# a comment [x] "\n', '\r\n', '  \n'];

export class TomlWriter {
  readonly #random: Random;
  readonly #places: Placed[] = [];
  #text = '';
  #names = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  document(): { readonly text: string; readonly places: readonly Placed[] } {
    this.#pairs([]);
    const tables = below(this.#random, 5);
    for (let i = 0; i < tables; i++) {
      this.#write(this.#pick(GAPS));
      if (this.#random.next() < 0.5) this.#table();
      else this.#listOfTables();
    }
    return { text: this.#text, places: this.#places };
  }

  #table(): void {
    const names = [this.#name(), this.#name()];
    this.#write('[');
    this.#dotted([], names);
    this.#write(']\n');
    this.#pairs(names);
  }

  #listOfTables(): void {
    const name = this.#name();
    const count = 1 + below(this.#random, 3);
    for (let index = 0; index < count; index++) {
      this.#write(`[[${this.#pick(SPACE)}`);
      this.#note([name, index]);
      this.#write(`${name}]]\n`);
      this.#pairs([name, index]);
      const sub = this.#name();
      this.#write(`[${name}.`);
      this.#note([name, index, sub]);
      this.#write(`${sub}]\n`);
      this.#pairs([name, index, sub]);
    }
  }

  #pairs(table: Path): void {
    const count = below(this.#random, 4);
    for (let i = 0; i < count; i++) {
      this.#write(this.#pick(SPACE));
      this.#pair(table, 0);
      this.#write(this.#pick(['\n', ' # end\n', '\r\n']));
      this.#write(this.#pick(GAPS));
    }
  }

  #pair(table: Path, depth: number): void {
    const names = Array.from({ length: 1 + below(this.#random, 3) }, () => this.#name());
    this.#dotted(table, names);
    this.#write(`${this.#pick(SPACE)}=${this.#pick(SPACE)}`);
    this.#value([...table, ...names], depth);
  }

  #dotted(table: Path, names: readonly string[]): void {
    for (const [index, name] of names.entries()) {
      if (index > 0) this.#write(`${this.#pick(SPACE)}.`);
      this.#write(this.#pick(SPACE));
      this.#note([...table, ...names.slice(0, index + 1)]);
      this.#write(this.#pick([name, `"${name}"`, `'${name}'`]));
    }
  }

  #value(path: Path, depth: number): void {
    const kind = depth > 2 ? 0 : below(this.#random, 4);
    if (kind === 1) this.#list(path, depth);
    else if (kind === 2) this.#inlineTable(path, depth);
    else this.#write(this.#pick(SCALARS));
  }

  #list(path: Path, depth: number): void {
    this.#write('[');
    const count = below(this.#random, 4);
    for (let index = 0; index < count; index++) {
      this.#write(this.#pick(GAPS));
      this.#write(this.#pick(SPACE));
      this.#note([...path, index]);
      this.#value([...path, index], depth + 1);
      this.#write(this.#pick(SPACE));
      if (index < count - 1 || this.#random.next() < 0.5) this.#write(',');
    }
    this.#write(`${this.#pick(GAPS)}]`);
  }

  #inlineTable(path: Path, depth: number): void {
    this.#write('{');
    const count = below(this.#random, 3);
    for (let index = 0; index < count; index++) {
      this.#write(this.#pick(SPACE));
      this.#pair(path, depth + 1);
      this.#write(this.#pick(SPACE));
      if (index < count - 1) this.#write(',');
    }
    this.#write('}');
  }

  #name(): string {
    this.#names++;
    return this.#pick(['k', 'a-b_', '0']) + this.#names;
  }

  #note(path: Path): void {
    const lines = this.#text.split('\n');
    this.#places.push({ path, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 });
  }

  #pick(choices: readonly string[]): string {
    return choices[below(this.#random, choices.length)] ?? '';
  }

  #write(text: string): void {
    this.#text += text;
  }
}
