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
  show<T>(
    value: T,
    lines: (value: T, fit: (rows: TextRows) => readonly string[]) => readonly string[],
  ) {
    if (this.#form === 'json') {
      this.#out.write(`${JSON.stringify(value, null, 2)}\n`);
      return;
    }
    const told = lines(value, (rows) =>
      fitted(rows, this.#out.columns ?? Number.POSITIVE_INFINITY),
    );
    this.#out.write(told.map((line) => `${terminalSafe(line)}\n`).join(''));
  }

  /** One of many that come one by one: a line. */
  item<T>(value: T, line: (value: T) => string): void {
    const text = this.#form === 'json' ? JSON.stringify(value) : terminalSafe(line(value));
    this.#out.write(`${text}\n`);
  }

  /** To standard error, whatever the form. */
  complain(line: string): void {
    this.#err.write(`${terminalSafe(line)}\n`);
  }
}

export type TextRows = readonly (readonly string[])[];

/**
 * Rows in columns, the widest of them cut until a line has at most `most` characters. The first one
 * is what other commands take (the id of a session, the name of a backend): it is cut only where it
 * has half of the line by itself.
 */
export function fitted(rows: TextRows, most: number): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, [...cell].length);
    });
  }
  const total = (): number => widths.reduce((sum, width) => sum + width + GAP, -GAP);
  const isWhole = (widths[0] ?? 0) <= most / 2;
  while (total() > most) {
    const cuttable = isWhole ? widths.slice(1) : widths;
    const widest = widths.indexOf(Math.max(...cuttable), isWhole ? 1 : 0);
    const width = widths[widest] ?? 0;
    if (width <= LEAST_COLUMN) break;
    widths[widest] = Math.max(LEAST_COLUMN, width - (total() - most));
  }
  return textTable(rows.map((row) => row.map((cell, column) => cut(cell, widths[column] ?? 0))));
}

function cut(cell: string, width: number): string {
  const letters = [...cell];
  return letters.length <= width ? cell : `${letters.slice(0, width - 1).join('')}…`;
}

/** What a terminal would obey is a space. */
export function terminalSafe(line: string): string {
  return line.replace(/\p{Cc}/gu, ' ');
}
