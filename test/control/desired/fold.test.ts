/** What is desired is a fold: the file, what discovery found, and what operators want. */
import t from 'tap';
import { fold, type Sources } from '../../../src/control/desired/fold.js';
import { keptText, readKept } from '../../../src/control/desired/kept_text.js';
import { end, order } from '../../../src/control/desired/orders.js';
import type { Override } from '../../../src/control/desired/override.js';
import { below, seededRandom } from '../../../src/core/random.js';
import { seed } from '../../support/seed.js';
import { backendSpec, poolSpec, spec } from '../fixtures.js';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const ADA = { by: 'ada', because: 'x', sinceWallMs: NOW, untilWallMs: null };
const file = (weights: Readonly<Record<string, number>>) =>
  spec([
    poolSpec('pg', {
      backends: Object.entries(weights).map(([name, weight]) => backendSpec(name, { weight })),
    }),
  ]);
const sources = (change: Partial<Sources> = {}): Sources => ({
  configured: file({ a1: 1, a2: 2 }),
  overrides: [],
  ...change,
});

function ordered(
  of: Sources,
  names: readonly string[],
  kind: Override['kind'],
  value: Override['value'],
) {
  const given = order(of, names, { kind, value }, ADA);
  if (!given.ok) throw new Error(given.error);
  return { ...of, overrides: given.value.overrides };
}

t.test('without overrides and discovery what is desired is the file itself', async (t) => {
  const only = sources();
  t.equal(fold(only, NOW).spec, only.configured);
});

t.test(
  'the override of a backend that may be found again waits, and changes nothing',
  async (t) => {
    const set = ordered(sources(), ['pg/a2'], 'weight', 9);
    const away = { ...set, configured: file({ a1: 1 }) };
    t.match(
      fold(away, NOW, () => true),
      { ended: [], sources: { overrides: { length: 1 } } },
    );
    t.match(fold(away, NOW, () => false).ended, [{ why: { kind: 'gone' } }]);
    const again = fold({ ...set, overrides: fold(away, NOW, () => true).sources.overrides }, NOW);
    t.match(again.spec.pools[0]?.backends[1], { weight: 9 });
  },
);

t.test('POOL/* is all of a pool, and any other name is one backend', async (t) => {
  const names = ['unix:/run/*', 'unix:/run/a', 'a*', '/*'];
  const configured = file(Object.fromEntries(names.map((name) => [name, 1])));
  const drained = (name: string): readonly string[] =>
    ordered(sources({ configured }), [name], 'drain', 'drained').overrides.map(
      (one) => one.backend,
    );
  t.same(drained('pg/*'), names);
  for (const name of names) t.same(drained(`pg/${name}`), [name]);
});

t.test('each kind changes what it is about, and nothing else', async (t) => {
  const drained = ordered(sources(), ['pg/a1'], 'drain', 'drained');
  const all = ordered(ordered(drained, ['pg/a1'], 'weight', 7), ['pg/a1'], 'cap', 3);
  const [a1, a2] = fold(all, NOW).spec.pools[0]?.backends ?? [];
  t.strictSame(a1, { ...backendSpec('a1'), admin: 'drained', weight: 7, maxConnections: 3 });
  t.strictSame(a2, backendSpec('a2', { weight: 2 }));
  const maintained = ordered(all, ['pg/*'], 'maintain', 'maintenance');
  t.match(fold(maintained, NOW).spec.pools[0]?.backends, [
    { admin: 'maintenance', weight: 7 },
    { admin: 'maintenance', weight: 2 },
  ]);
  t.equal(maintained.overrides.length, 4, 'a drain gives way to a maintenance');
});

t.test('an override holds while the configured value is the one that it replaced', async (t) => {
  const set = ordered(sources(), ['pg/a2'], 'weight', 9);
  const folded = (weights: Readonly<Record<string, number>>) =>
    fold({ ...set, configured: file(weights) }, NOW);
  t.equal(folded({ a1: 5, a2: 2 }).ended.length, 0, 'another backend is no matter');
  t.match(folded({ a1: 1, a2: 3 }), {
    ended: [{ why: { kind: 'configured', value: 3 }, override: { replaced: 2, value: 9 } }],
    sources: { overrides: [] },
  });
  t.equal(folded({ a1: 1, a2: 3 }).spec.pools[0]?.backends[1]?.weight, 3);
  t.match(folded({ a1: 1 }).ended, [{ why: { kind: 'gone' } }]);
});

t.test('it ends with its time, and an order for what is configured ends it too', async (t) => {
  const given = order(
    sources(),
    ['pg/a1'],
    { kind: 'weight', value: 9 },
    { ...ADA, untilWallMs: NOW + 5 },
  );
  const { overrides } = given.ok ? given.value : { overrides: [] };
  t.equal(fold(sources({ overrides }), NOW + 4).ended.length, 0);
  t.match(fold(sources({ overrides }), NOW + 5).ended, [{ why: { kind: 'expired' } }]);
  t.same(ordered(sources({ overrides }), ['pg/a1'], 'weight', 1).overrides, []);
  t.same(ordered(sources({ overrides }), ['pg/a1'], 'weight', '100%').overrides, []);
});

t.test('an order with an unknown name changes nothing, and names the nearest', async (t) => {
  for (const names of [['pg/a1', 'pg/a3'], ['pq/*'], ['a1'], ['']]) {
    const given = order(sources(), names, { kind: 'cap', value: 1 }, ADA);
    t.match(given, { ok: false, error: /^There is no backend .*pg\/a1/ }, names.join());
  }
  t.match(
    end(sources(), ['pg/a9'], () => true),
    { ok: false },
  );
});

t.test('what is kept is read as it was; what makes no sense is left out alone', async (t) => {
  const { overrides } = ordered(
    ordered(sources(), ['pg/*'], 'drain', 'drained'),
    ['pg/a2'],
    'weight',
    '50%',
  );
  const text = keptText(overrides);
  t.strictSame(readKept(text), { overrides, problems: [] });
  const spoiled = text.replace('"drained"', '"drowned"');
  t.match(readKept(spoiled), { overrides: { length: 2 }, problems: [/drowned/] });
});

t.test('no text breaks the reader: torn, mixed or of another kind', async (t) => {
  const { overrides } = ordered(sources(), ['pg/*'], 'cap', 5);
  const text = keptText(overrides);
  for (let length = 0; length < text.length - 2; length++) {
    t.equal(readKept(text.slice(0, length)), null);
  }
  const random = seededRandom(seed);
  for (let round = 0; round < 2_000; round++) {
    const letters = [...text];
    for (let i = 0; i < 3; i++) {
      letters[below(random, letters.length)] = '"{}[],:0x'[below(random, 9)] ?? '';
    }
    readKept(letters.join(''));
  }
});
