/** A page of sessions is written as `JSON.stringify` would, whatever stands in it. */
import t from 'tap';
import { sessionsText } from '../../../src/control/api/session_text.js';
import { SESSIONS } from '../../../src/control/api/sessions.js';
import { checkShape } from '../../../src/control/api/shape.js';
import type { SessionRow } from '../../../src/core/questions.js';
import { below, type Random, seededRandom } from '../../../src/core/random.js';
import { toColumns, toRows } from '../../../src/core/session_columns.js';
import { seed } from '../../support/seed.js';

const REST = { next: null, missing: ['worker 1 did not answer'], elsewhere: [] };
const NOW_MS = 5_000.5;
const STRANGE = ['unix:/run/"x"', 'unix:/tmp/a\\b', 'unix:/é/\u2028', 'unix:/\u0001', '\ud800'];

function rowOf(random: Random, client: string): SessionRow {
  return {
    id: `0-${below(random, 1e9).toString(36)}`,
    key: 0,
    listener: `l${below(random, 3)}`,
    pool: below(random, 2) === 0 ? '' : 'p"q',
    backend: below(random, 2) === 0 ? null : '10.0.0.1:80',
    client,
    state: 'relaying',
    sinceMs: random.next() * 6_000,
    activeMs: random.next() * 6_000,
    bytesIn: below(random, 1e9) * 1e6,
    bytesOut: below(random, 2),
  };
}

function shown(row: SessionRow) {
  const { id, listener, pool, backend, client, state, bytesIn, bytesOut } = row;
  const age = (ms: number): number => Math.max(0, Math.round(NOW_MS - ms));
  return {
    ...{ id, listener, pool, backend, client, state },
    age_ms: age(row.sinceMs),
    idle_ms: age(row.activeMs),
    bytes_in: bytesIn,
    bytes_out: bytesOut,
  };
}

t.test(`a page is what JSON.stringify would write (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const usual = Array.from({ length: 40 }, (_, at) => rowOf(random, `198.51.100.${at}:443`));
  const strange = STRANGE.map((client) => rowOf(random, client));
  for (const parts of [[], [[]], [usual.slice(0, 1)], [usual], [strange], [usual, strange]]) {
    const rows = parts.flat();
    const items = rows.map(shown);
    const read = parts.flatMap((part) => toRows(structuredClone(toColumns(part))));
    // As of several workers: rows of one part stand between those of others.
    const mixed = (a: number, b: number): number => (a % 3) - (b % 3) || a - b;
    const order = rows.map((_, at) => at).sort(mixed);
    const text = sessionsText(
      order.flatMap((at) => read[at] ?? []),
      NOW_MS,
      REST,
    );
    const wanted = { items: order.map((at) => items[at]), ...REST };
    t.equal(text, JSON.stringify(wanted, null, 2));
  }
});

t.test('a page has the shape that the document of the API describes', async (t) => {
  const random = seededRandom(seed);
  const read = toRows(toColumns([rowOf(random, '[::1]:443'), rowOf(random, '10.0.0.1:1')]));
  const page: unknown = JSON.parse(sessionsText(read, NOW_MS, REST));
  t.same(checkShape(SESSIONS, page), { ok: true, value: page });
});
