/**
 * A page of sessions as JSON, as `JSON.stringify` would lay it out. What operators ask most has
 * hundreds of values, most of them words that stand there again and again: they are written once
 * for a part of the answer, straight out of its columns.
 */
import type { SessionColumns } from '../../core/questions.js';
import type { RowInColumns } from '../../core/session_columns.js';

const HEAD = '{\n  "items": [';

/** `rest`: what stands behind the items. */
export function sessionsText(
  rows: readonly RowInColumns[],
  nowMs: number,
  rest: Readonly<Record<string, unknown>>,
): string {
  const whole = JSON.stringify({ items: [], ...rest }, null, 2);
  if (rows.length === 0) return whole;
  const known = new Map<SessionColumns, QuotedColumns>();
  const items = rows.map((row) => {
    const quoted = known.get(row.columns) ?? new QuotedColumns(row.columns);
    known.set(row.columns, quoted);
    return rowText(row, quoted, nowMs);
  });
  return `${HEAD}${items.join(',')}\n  ${whole.slice(HEAD.length)}`;
}

function rowText(row: RowInColumns, quoted: QuotedColumns, nowMs: number): string {
  return (
    `\n    {\n      "id": ${quoted.text(row.id)},` +
    `\n      "listener": ${quoted.word(row.placeOf(0))},` +
    `\n      "pool": ${quoted.word(row.placeOf(1))},` +
    `\n      "backend": ${quoted.word(row.placeOf(2))},` +
    `\n      "client": ${quoted.text(row.client)},` +
    `\n      "state": ${quoted.word(row.placeOf(3))},` +
    `\n      "age_ms": ${Math.max(0, Math.round(nowMs - row.sinceMs))},` +
    `\n      "idle_ms": ${Math.max(0, Math.round(nowMs - row.activeMs))},` +
    `\n      "bytes_in": ${row.bytesIn},` +
    `\n      "bytes_out": ${row.bytesOut}\n    }`
  );
}

/** What stands in one part of the answer, as JSON. */
class QuotedColumns {
  readonly #words: readonly string[];
  /** Nothing in the text of this part has to be escaped. */
  readonly #isPlain: boolean;

  constructor(columns: SessionColumns) {
    this.#words = columns.words.map((word) => JSON.stringify(word));
    this.#isPlain = JSON.stringify(columns.text).length === columns.text.length + 2;
  }

  word(place: number): string {
    return this.#words[place] ?? 'null';
  }

  text(text: string): string {
    return this.#isPlain ? `"${text}"` : JSON.stringify(text);
  }
}
