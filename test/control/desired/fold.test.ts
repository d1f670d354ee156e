/** What is desired is a fold: the file, what discovery found, and what operators want. */
import t from 'tap';
import { type DesiredSources, fold } from '../../../src/control/desired/fold.js';
import { keptText, readKept } from '../../../src/control/desired/kept_text.js';
import {
  admit,
  deny,
  end,
  hold,
  logLevel,
  order,
  release,
  type WantedValue,
} from '../../../src/control/desired/orders.js';
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
const sources = (change: Partial<DesiredSources> = {}): DesiredSources => ({
  configured: file({ a1: 1, a2: 2 }),
  overrides: [],
  ...change,
});

function ordered(
  of: DesiredSources,
  names: readonly string[],
  kind: WantedValue['kind'],
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
  const all = order(sources(), ['pg'], { kind: 'cap', value: 1 }, ADA);
  t.match(all, { ok: false, error: /pg is a pool, and pg\/\* is all of its backends/ });
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

t.test('a hold is about a pool, a log level about the daemon, and no file says so', async (t) => {
  const held = hold(sources(), 'pg', '20 drain', ADA);
  if (!held.ok) throw new Error(held.error);
  const levelled = logLevel({ ...sources(), overrides: held.value.overrides }, 'debug', ADA);
  const both = sources({ overrides: levelled.overrides });
  const { spec: folded, ended } = fold(both, NOW);
  t.match(folded.pools[0], { settings: { heldAtMost: 20 }, whileHeld: 'drain' });
  t.equal(folded.pools[0]?.backends[0], both.configured.pools[0]?.backends[0]);
  t.equal(folded.log.level, 'debug');
  t.same(ended, []);
  t.strictSame(readKept(keptText(both.overrides)), { overrides: both.overrides, problems: [] });
  const again = hold(both, 'pg', '5', ADA);
  t.match(again, { value: { overrides: [{ kind: 'log-level' }, { value: '5' }] } });
  t.same(order(both, ['pg/*'], { kind: 'cap', value: 3 }, ADA).ok, true);

  const other = { ...both.configured, pools: [poolSpec('mysql')] };
  t.match(
    fold({ ...both, configured: other }, NOW, () => true).ended,
    [{ override: { kind: 'hold' }, why: { kind: 'gone' } }],
    'no source finds a pool again',
  );
  const warned = { ...both.configured, log: { ...both.configured.log, level: 'warn' as const } };
  t.match(fold({ ...both, configured: warned }, NOW).ended, [
    { override: { kind: 'log-level' }, why: { kind: 'configured', value: 'warn' } },
  ]);
  t.match(logLevel(both, 'info', ADA), { set: [], ended: [{ kind: 'log-level' }] });
});

t.test(
  'a release ends the hold of its pool alone, and of one that has left the file',
  async (t) => {
    const held = hold(sources(), 'pg', '20', ADA);
    if (!held.ok) throw new Error(held.error);
    const set = sources({ overrides: held.value.overrides });
    t.match(release(set, 'pg'), { value: { overrides: [], ended: [{ kind: 'hold' }] } });
    t.match(release(sources(), 'pg'), { value: { ended: [] } });
    t.match(release({ ...set, configured: file({}) }, 'pg'), { ok: true });
    t.match(release(set, 'pq'), { ok: false, error: 'There is no pool pq; did you mean pg?' });
    t.match(hold(set, 'x', '1', ADA), { ok: false, error: 'There is no pool x; there is pg.' });
  },
);

t.test('no record of a hold or a level that makes no sense is taken', async (t) => {
  for (const [kind, value] of [
    ['hold', 0],
    ['hold', '100001'],
    ['hold', '5 drains'],
    ['hold', '-1'],
    ['log-level', 'loud'],
    ['log-level', 3],
  ] as const) {
    const one: Override = { pool: 'pg', backend: '', kind, value, replaced: 'open', ...ADA };
    t.match(readKept(keptText([one])), { overrides: [], problems: { length: 1 } }, `${value}`);
  }
});

t.test('clients are denied by any number of orders, each until it ends', async (t) => {
  const hour = { ...ADA, untilWallMs: NOW + 3_600_000 };
  const first = sources({ overrides: deny(sources(), '203.0.113.7', hour).overrides });
  const both = { ...first, overrides: deny(first, '2001:db8::/32', ADA).overrides };
  t.equal(both.overrides.length, 2);
  const again = deny(both, '203.0.113.7', ADA).overrides;
  t.equal(again.length, 2, 'an order about the same block takes the place of the other');
  const blocks = (of: DesiredSources, atMs: number) =>
    fold(of, atMs).spec.denied.map(({ host, prefixBits }) => `${host}/${prefixBits}`);
  t.same(blocks(both, NOW), ['203.0.113.7/32', '2001:db8::/32']);
  t.same(blocks(both, NOW + 3_600_000), ['2001:db8::/32']);
  t.same(readKept(keptText(both.overrides)), { overrides: both.overrides, problems: [] });
  const ended = admit(both, '2001:db8::/32');
  t.ok(ended.ok && ended.value.overrides.length === 1);
  const unknown = admit(both, '203.0.113.8');
  t.match(unknown, {
    ok: false,
    error: '203.0.113.8 is not denied by an order: 203.0.113.7, 2001:db8::/32 is.',
  });
});

t.test('what is no block is no denial', async (t) => {
  const [one] = deny(sources(), '203.0.113.7', ADA).overrides;
  const text = keptText(one === undefined ? [] : [one]).replace('203.0.113.7', '203.0.113.777');
  const kept = readKept(text);
  t.same(kept?.overrides, []);
  t.match(kept?.problems, [/203\.0\.113\.777/]);
});
