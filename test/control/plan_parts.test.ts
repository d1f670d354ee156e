/** Plans in parts: whatever changes, workers come to what control has drawn. Seeded. */
import t from 'tap';
import { partsBetween } from '../../src/control/plan_parts.js';
import { drawPlan, drawPools } from '../../src/control/planner.js';
import type { WorkerId } from '../../src/core/brand.js';
import type { Plan } from '../../src/core/plan.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import type { Spec } from '../../src/core/spec.js';
import { PlanCopy } from '../support/plan_copy.js';
import { seed } from '../support/seed.js';
import { backendSpec, inventory, listenerSpec, poolSpec, resolved, spec } from './fixtures.js';

type All = ReturnType<typeof inventory>;

function draw(all: All, version: number): Plan {
  return drawPlan(all, 0 as WorkerId, {
    version,
    access: 'errors',
    pools: drawPools(all),
    sessionBudget: 1_000,
    tableOf: () => null,
    denied: null,
    sockets: ({ id }) => [
      {
        key: id,
        source: { kind: 'bind', local: { kind: 'unix', path: '/' }, reusePort: 'shared' },
        socket: id,
      },
    ],
  });
}

t.test(`parts lead from any plan to any other (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const all = inventory();
  const [follower, late] = [new PlanCopy(), () => new PlanCopy()];
  let before: Plan | null = null;
  for (let version = 1; version <= 150; version++) {
    all.apply(anySpec(random), resolved);
    giveBackSome(all, random);
    const after = draw(all, version);
    for (const part of partsBetween(before, after)) follower.take(structuredClone(part));
    const newcomer = late();
    for (const part of partsBetween(null, after)) newcomer.take(structuredClone(part));
    for (const copy of [follower, newcomer]) t.same(inOrder(copy.plan), inOrder(after));
    before = after;
  }
});

t.test('a plan that says the same is its end alone', async (t) => {
  const all = inventory();
  all.apply(spec([poolSpec('p')], [listenerSpec('l', 'p')]), resolved);
  const first = draw(all, 1);
  all.apply(spec([poolSpec('p')], [listenerSpec('l', 'p')]), resolved);
  t.same(partsBetween(first, draw(all, 2)), [
    { kind: 'done', version: 2, access: 'errors', pools: [] },
  ]);
  const [listener] = first.listeners;
  const again = partsBetween(first, draw(all, 2), new Set(listener ? [listener.id] : []));
  t.same(
    again.map(({ kind }) => kind),
    ['leaving', 'listeners', 'done'],
    'a listener that could not be opened is sent again',
  );
});

t.test('no part is more than a worker does between two turns', async (t) => {
  const all = inventory();
  const many = (count: number, weight: number) =>
    Array.from({ length: count }, (_, index) => backendSpec(`b${index}`, { weight }));
  const file = (weight: number): Spec =>
    spec(
      [
        poolSpec('large', { backends: many(10_000, weight) }),
        ...Array.from({ length: 400 }, (_, index) =>
          poolSpec(`p${index}`, { backends: many(10, weight) }),
        ),
      ],
      Array.from({ length: 400 }, (_, index) => listenerSpec(`l${index}`, `p${index}`)),
    );
  all.apply(file(1), resolved);
  const first = draw(all, 1);
  all.apply(file(2), resolved);
  for (const parts of [partsBetween(null, first), partsBetween(first, draw(all, 2))]) {
    for (const part of parts) {
      if (part.kind === 'listeners') t.ok(part.listeners.length <= 24);
      if (part.kind !== 'pools') continue;
      const backends = part.pools.reduce((sum, pool) => sum + pool.backends.length, 0);
      t.ok(backends <= 256, `${backends} backends`);
    }
  }
});

t.test('whatever setting of a pool or listener changes, workers get it as it is', async (t) => {
  const [pool, listener] = [poolSpec('p'), listenerSpec('l', 'p')];
  const drawn = (file: Spec): Plan => {
    all.apply(file, resolved);
    return draw(all, 1);
  };
  const all = inventory();
  const before = drawn(spec([pool], [listener]));
  for (const key of Object.keys(pool.settings)) {
    const settings = { ...pool.settings, [key]: 'another' };
    const after = drawn(spec([{ ...pool, settings }], [listener]));
    t.match(partsBetween(before, after), [{ pools: [{ settings }] }, { kind: 'done' }], key);
  }
  for (const key of Object.keys(listener.settings)) {
    const settings = { ...listener.settings, [key]: 'another' };
    const after = drawn(spec([pool], [{ ...listener, settings }]));
    const parts = [{ kind: 'leaving' }, { listeners: [{ settings }] }, { kind: 'done' }];
    t.match(partsBetween(before, after), parts, key);
  }
});

function anySpec(random: Random): Spec {
  const pools = Array.from({ length: 1 + below(random, 4) }, (_, pool) =>
    poolSpec(`p${pool}`, {
      retries: below(random, 3),
      backends: Array.from({ length: below(random, 7) }, (_, index) =>
        backendSpec(`b${index}`, {
          weight: below(random, 3),
          backup: below(random, 5) === 0,
          address: { kind: 'ip', family: 4, host: `10.0.0.${below(random, 3)}`, port: 1 + index },
        }),
      ),
    }),
  );
  const listeners = Array.from({ length: below(random, 5) }, (_, index) =>
    listenerSpec(`l${index}`, `p${below(random, pools.length)}`, {
      protocol: below(random, 4) === 0 ? 'udp' : 'tcp',
      maxSessions: below(random, 2),
    }),
  );
  return spec(pools, listeners);
}

/** Rows that are free again soon belong to others. */
function giveBackSome(all: All, random: Random): void {
  for (const entry of [...all.backends()]) {
    if (entry.tenure === 'leaving' && below(random, 2) === 0) all.releaseBackend(entry);
  }
  all.releasePools();
  all.releaseListeners(
    [...all.listeners.values()].filter(
      ({ tenure }) => tenure === 'leaving' && below(random, 2) === 0,
    ),
  );
}

/** Backends are in the plan's order; listeners and pools have none. */
function inOrder({ listeners, pools, ...rest }: Plan) {
  const byId = (a: { readonly id: number }, b: { readonly id: number }): number => a.id - b.id;
  return { ...rest, listeners: listeners.toSorted(byId), pools: pools.toSorted(byId) };
}
