/** Which backends a screen shows: the same as if all were sorted and cut. */
import t from 'tap';
import type { BackendGlance, PoolGlance } from '../../../src/admin/views.js';
import { backendsIn, type Window } from '../../../src/control/api/live_window.js';
import { present } from '../../../src/core/assert.js';
import { BACKEND_STATES } from '../../../src/core/backend_states.js';
import { below, type Random, seededRandom } from '../../../src/core/random.js';
import { HEALTH } from '../../admin/fake_views.js';
import { seed } from '../../support/seed.js';

const [POOL] = HEALTH.pools;
const WHOLE = present(POOL?.backends[0], 'a backend to copy');

/** How often a look in full was asked for. */
function bench(random: Random) {
  const looks = { full: 0 };
  const pools = ['b', 'a-b', 'a'].map((name): PoolGlance => {
    const backends = Array.from({ length: 40 }, (_, index): BackendGlance => {
      const state = present(BACKEND_STATES[below(random, BACKEND_STATES.length)], 'one');
      const active = below(random, 4);
      const one = { ...WHOLE, name: `n${index % 17}`, state, active };
      const view = () => {
        looks.full++;
        return one;
      };
      return { ...one, view };
    });
    return { name, state: 'up', backends, summary: () => unreached() };
  });
  return { pools, looks };
}

const keyOf = (one: { pool: string; name: string }): string => `${one.pool}/${one.name}`;

t.test(`a screen is a part of all, and only it is looked at in full (SEED=${seed})`, async (t) => {
  const { pools, looks } = bench(seededRandom(seed));
  for (const sort of ['file', 'name', 'sessions', 'trouble'] as const) {
    const all = backendsIn({ pools }, { sort, limit: 200 });
    t.equal(all.backends.length, 120, sort);
    const inFile = backendsIn({ pools }, { limit: 200 }).backends;
    const by = { file: () => 0, name: byName, sessions: bySessions, trouble: byTrouble }[sort];
    t.same(all.backends, inFile.toSorted(by), `${sort}: equal ones as in the file`);
    for (const [offset, limit] of [
      [0, 1],
      [3, 20],
      [110, 50],
      [500, 5],
    ] as const) {
      looks.full = 0;
      const screen = backendsIn({ pools }, { sort, offset, limit });
      t.same(screen.backends, all.backends.slice(offset, offset + limit), `${sort} ${offset}`);
      t.equal(screen.matched, 120);
      t.equal(looks.full, screen.backends.length);
    }
  }
});

t.test('what does not match is not looked at in full', async (t) => {
  const { pools, looks } = bench(seededRandom(seed));
  const window: Window = { filter: 'A-B/N3', limit: 5 };
  const { backends, matched } = backendsIn({ pools }, window);
  t.same(new Set(backends.map(keyOf)), new Set(['a-b/n3']));
  t.equal(matched, 3);
  t.equal(looks.full, 3);
});

function unreached(): never {
  throw new Error('no screen of backends asks for a pool in full');
}

interface Shown {
  readonly pool: string;
  readonly name: string;
  readonly state: string;
  readonly active: number;
}

function byName(a: Shown, b: Shown): number {
  return keyOf(a) < keyOf(b) ? -1 : Number(keyOf(a) > keyOf(b));
}

function bySessions(a: Shown, b: Shown): number {
  return b.active - a.active;
}

function byTrouble(a: Shown, b: Shown): number {
  const worst = ['down', 'unresolved', 'ejected', 'full', 'degraded', 'unproven'];
  const rank = ({ state }: Shown): number => (worst.indexOf(state) + worst.length + 1) % 7;
  return rank(a) - rank(b);
}
