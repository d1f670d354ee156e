/** Rows of sessions in columns, and back. */
import t from 'tap';
import type { SessionRow } from '../../src/core/questions.js';
import { below, seededRandom } from '../../src/core/random.js';
import { MAX_ROWS_PER_PART, toColumns, toRows } from '../../src/core/session_columns.js';
import { seed } from '../support/seed.js';

t.test(`what goes over in columns comes back as it was (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const states = ['relaying', 'queued', 'draining'] as const;
  for (const count of [0, 1, 2, 300]) {
    const rows = Array.from({ length: count }, (_, index): SessionRow => {
      return {
        id: `0-${index}`,
        key: -random.next() * 1e12,
        listener: `l${below(random, 3)}`,
        // Of the same words as others: the pool may be called as the listener is, or not be known.
        pool: below(random, 2) === 0 ? '' : `l${below(random, 3)}`,
        backend: below(random, 2) === 0 ? null : '10.0.0.1:80',
        client: `[::1]:${index}`,
        state: states[below(random, 3)] ?? 'closing',
        sinceMs: random.next(),
        activeMs: random.next() * 1e9,
        bytesIn: below(random, 1e9) * 1e6,
        bytesOut: 0,
      };
    });
    t.same(toRows(structuredClone(toColumns(rows))).map(plain), rows);
  }
});

t.test('a part of the most rows has room for as many different words', async (t) => {
  const rows = Array.from({ length: MAX_ROWS_PER_PART }, (_, index): SessionRow => {
    const words = { listener: `l${index}`, pool: `p${index}`, backend: `b${index}` };
    const figures = { key: 0, sinceMs: 0, activeMs: 0, bytesIn: 0, bytesOut: 0 };
    return { id: '', client: '', state: 'relaying', ...words, ...figures };
  });
  t.same(toRows(toColumns(rows)).map(plain).at(-1), rows.at(-1));
});

function plain(row: SessionRow): SessionRow {
  const { id, client, listener, pool, backend, state } = row;
  const { key, sinceMs, activeMs, bytesIn, bytesOut } = row;
  const words = { id, client, listener, pool, backend, state };
  return { ...words, key, sinceMs, activeMs, bytesIn, bytesOut };
}
