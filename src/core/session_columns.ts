/**
 * Rows of sessions in columns: what goes over to another thread costs by the object, and a row
 * would be one of eleven values. Nine thousand rows go over in 0.6 ms as columns, in 17 ms as rows.
 */
import { assert, present } from './assert.js';
import type { SessionColumns, SessionRow, SessionState } from './questions.js';

/** How many values each row has in the arrays. */
const ENDS = 2;
const FIGURES = 5;
const WORDS = 4;
/** Different words of one part at most: places are 16 bits. */
export const MAX_ROWS_PER_PART = Math.floor(65_536 / WORDS) - 1;

/** `rows`: MAX_ROWS_PER_PART at most. */
export function toColumns(rows: readonly SessionRow[]): SessionColumns {
  assert(rows.length <= MAX_ROWS_PER_PART, 'a part has room for its words');
  const ends = new Uint32Array(rows.length * ENDS);
  const figures = new Float64Array(rows.length * FIGURES);
  const places = new Uint16Array(rows.length * WORDS);
  const words = new Words();
  let text = '';
  for (let index = 0; index < rows.length; index++) {
    const row = present(rows[index], 'a row of this number');
    text += row.id;
    ends[index * ENDS] = text.length;
    text += row.client;
    ends[index * ENDS + 1] = text.length;
    putFigures(figures, index * FIGURES, row);
    const at = index * WORDS;
    places[at] = words.placeOf(row.listener);
    places[at + 1] = words.placeOf(row.pool);
    places[at + 2] = words.placeOf(row.backend);
    places[at + 3] = words.placeOf(row.state);
  }
  return { text, ends, figures, places, words: words.all };
}

/** One by one: an array that is `set` costs more than what it holds. */
function putFigures(figures: Float64Array, at: number, row: SessionRow): void {
  figures[at] = row.key;
  figures[at + 1] = row.sinceMs;
  figures[at + 2] = row.activeMs;
  figures[at + 3] = row.bytesIn;
  figures[at + 4] = row.bytesOut;
}

/** Each different word once. */
class Words {
  readonly all: (string | null)[] = [];
  readonly #places = new Map<string | null, number>();

  placeOf(word: string | null): number {
    const known = this.#places.get(word);
    if (known !== undefined) return known;
    this.#places.set(word, this.all.length);
    return this.all.push(word) - 1;
  }
}

/** In the order of the columns. */
export function toRows(columns: SessionColumns): RowInColumns[] {
  const rows: RowInColumns[] = [];
  const count = columns.ends.length / ENDS;
  for (let index = 0; index < count; index++) rows.push(new RowInColumns(columns, index));
  return rows;
}

/** It is read where it stands: what is not asked of it costs nothing. */
export class RowInColumns implements SessionRow {
  readonly columns: SessionColumns;
  readonly key: number;
  readonly #index: number;

  constructor(columns: SessionColumns, index: number) {
    this.columns = columns;
    this.#index = index;
    this.key = this.#figure(0);
  }

  get id(): string {
    const at = this.#index * ENDS;
    return this.columns.text.slice(at === 0 ? 0 : this.#end(at - 1), this.#end(at));
  }

  get client(): string {
    const at = this.#index * ENDS;
    return this.columns.text.slice(this.#end(at), this.#end(at + 1));
  }

  get sinceMs(): number {
    return this.#figure(1);
  }

  get activeMs(): number {
    return this.#figure(2);
  }

  get bytesIn(): number {
    return this.#figure(3);
  }

  get bytesOut(): number {
    return this.#figure(4);
  }

  get listener(): string {
    return present(this.#word(0), 'a row is whole');
  }

  get pool(): string {
    return present(this.#word(1), 'a row is whole');
  }

  get backend(): string | null {
    return this.#word(2);
  }

  get state(): SessionState {
    return present(this.#word(3), 'a row is whole') as SessionState;
  }

  /** Where its listener, pool, backend (2) or state (3) stands in the words of the columns. */
  placeOf(word: number): number {
    return this.columns.places[this.#index * WORDS + word] ?? 0;
  }

  #word(word: number): string | null {
    return this.columns.words[this.placeOf(word)] ?? null;
  }

  #figure(figure: number): number {
    return present(this.columns.figures[this.#index * FIGURES + figure], 'a row is whole');
  }

  #end(at: number): number {
    return present(this.columns.ends[at], 'a row is whole');
  }
}
