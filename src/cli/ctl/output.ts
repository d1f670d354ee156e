/**
 * What a command prints: for people, tables as wide as their terminal; with `--json`, the answer as
 * it came. What comes from the network must not reach the terminal as it is.
 */
import { textTable } from '../../admin/table.js';

export interface CtlOutput {
  write(text: string): unknown;
  /** Of a terminal; absent where the output goes into a file or a pipe, which may be any width. */
  readonly columns?: number;
}

/** A column never gets narrower than this. */
const LEAST_COLUMN = 8;
const GAP = 2;
const LEAST_PART = 20;

export class Output {
  readonly #out: CtlOutput;
  readonly #err: CtlOutput;
  readonly #form: 'text' | 'json';

  constructor(out: CtlOutput, err: CtlOutput, form: 'text' | 'json') {
    this.#out = out;
    this.#err = err;
    this.#form = form;
  }

  /** The answer as JSON, or as the lines that `lines` makes of it. */
  show<T>(value: T, lines: (value: T, fit: Fit) => readonly string[]) {
    if (this.#form === 'json') {
      this.#out.write(`${JSON.stringify(value, null, 2)}\n`);
      return;
    }
    const most = this.#out.columns ?? Number.POSITIVE_INFINITY;
    const told = lines(value, (rows, ...how) => fitted(rows, most, ...how));
    this.#out.write(told.map((line) => this.#line(line)).join(''));
  }

  /** One of many that come one by one: a line. */
  item<T>(value: T, line: (value: T) => string): void {
    this.#out.write(this.#form === 'json' ? `${JSON.stringify(value)}\n` : this.#line(line(value)));
  }

  #line(line: string): string {
    const most = this.#out.columns ?? Number.POSITIVE_INFINITY;
    return hung(terminalSafe(line), most)
      .map((part) => `${part}\n`)
      .join('');
  }

  /** To standard error, whatever the form. */
  complain(line: string): void {
    this.#err.write(`${terminalSafe(line)}\n`);
  }
}

export type TextRows = readonly (readonly string[])[];

/**
 * What becomes of rows that are wider than the terminal. `cut`: the widest columns are, and where
 * nothing would be left of them each row is a block of lines. `blocks`: nothing is cut, each row is
 * a block. `wrap`: the last column goes on in the next line; there are no heads.
 */
export type TooWide = 'cut' | 'blocks' | 'wrap';

/** `expendable`: the head of a column that a table goes without before another one is cut. */
export type Fit = (rows: TextRows, tooWide?: TooWide, expendable?: string) => readonly string[];

/**
 * Rows in columns, the first row of heads, in lines of at most `most` characters. The first column
 * is what other commands take (the id of a session, the name of a backend): it is cut only where it
 * has half of the line by itself.
 */
export function fitted(
  rows: TextRows,
  most: number,
  tooWide: TooWide = 'cut',
  expendable = '',
): readonly string[] {
  const widths = widthsOf(rows);
  if (total(widths) <= most) return textTable(rows);
  if (tooWide === 'wrap') {
    const room = most - total(widths.slice(0, -1)) - GAP;
    return room < LEAST_PART ? below(rows, most) : wrapped(rows, room);
  }
  if (tooWide === 'blocks') return blocks(rows, most);
  return cutTable(without(rows, expendable), most) ?? blocks(rows, most);
}

function without(rows: TextRows, expendable: string): TextRows {
  const column = rows[0]?.indexOf(expendable) ?? -1;
  return column < 0 ? rows : rows.map((row) => row.filter((_, at) => at !== column));
}

/** null: nothing would be left of some columns. */
function cutTable(rows: TextRows, most: number): readonly string[] | null {
  const widths = widthsOf(rows);
  const least = widths.map((width, column) => {
    const head = [...(rows[0]?.[column] ?? '')].length;
    return Math.min(width, Math.max(LEAST_COLUMN, head));
  });
  const [first] = widths;
  if (first !== undefined && first <= most / 2) least[0] = first;
  if (total(least) > most) return null;
  const fitting = levelled(widths, least, most);
  return textTable(rows.map((row) => row.map((cell, at) => cut(cell, fitting[at] ?? 0))));
}

function widthsOf(rows: TextRows): readonly number[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, [...cell].length);
    });
  }
  return widths;
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + GAP, -GAP);
}

/** The greatest width that all columns may have, but for what they must have: it fits then. */
function levelled(
  widths: readonly number[],
  least: readonly number[],
  most: number,
): readonly number[] {
  for (let level = Math.max(...widths); level > 0; level--) {
    const cutTo = widths.map((width, at) => Math.max(least[at] ?? 0, Math.min(width, level)));
    if (total(cutTo) <= most) return cutTo;
  }
  return least;
}

/** A row is a line for each head, without those that it has nothing for. */
function blocks([heads = [], ...rows]: TextRows, most: number): readonly string[] {
  const width = Math.max(...heads.map((head) => [...head.trim()].length));
  return rows.flatMap((row, index) => [
    ...(index === 0 ? [] : ['']),
    ...row.flatMap((cell, column) => {
      if (cell === '') return [];
      const [first = '', ...more] = broken(cell, most - width - GAP);
      const head = (heads[column] ?? '').trim().padEnd(width + GAP);
      return [head + first, ...more.map((part) => ' '.repeat(width + GAP) + part)];
    }),
  ]);
}

function wrapped(rows: TextRows, most: number): readonly string[] {
  return textTable(
    rows.flatMap((row) => {
      const [first = '', ...more] = broken(row.at(-1) ?? '', most);
      const before = row.slice(0, -1);
      return [[...before, first], ...more.map((part) => [...before.map(() => ''), part])];
    }),
  );
}

/** The last column has lines of its own. */
function below(rows: TextRows, most: number): readonly string[] {
  const before = textTable(rows.map((row) => row.slice(0, -1)));
  return rows.flatMap((row, index) => {
    const last = row.at(-1) ?? '';
    const parts = last === '' ? [] : broken(last, most - GAP);
    return [before[index] ?? '', ...parts.map((part) => ' '.repeat(GAP) + part)];
  });
}

/** A line, or several where it is wider than `most`, the further ones indented. */
export function hung(line: string, most: number): readonly string[] {
  if ([...line].length <= most) return [line];
  const text = line.trimStart();
  const indent = ' '.repeat(line.length - text.length);
  const [first = '', ...more] = broken(text, most - indent.length - GAP);
  return [indent + first, ...more.map((part) => indent + ' '.repeat(GAP) + part)];
}

/** Between words where there are some; never in parts that say nothing. */
function broken(text: string, most: number): readonly string[] {
  const width = Math.max(LEAST_PART, most);
  const parts: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const end = space > 0 ? space : width;
    parts.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...parts, rest];
}

function cut(cell: string, width: number): string {
  const letters = [...cell];
  return letters.length <= width ? cell : `${letters.slice(0, width - 1).join('')}…`;
}

/** What a terminal would obey is a space. */
export function terminalSafe(line: string): string {
  return line.replace(/\p{Cc}/gu, ' ');
}
