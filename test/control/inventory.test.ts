import t from 'tap';
import type { Inventory } from '../../src/control/inventory.js';
import { drawPlan, drawPools } from '../../src/control/planner.js';
import type { WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import {
  backendSpec,
  inventory,
  listenerSpec,
  poolSpec,
  type Resets,
  resolved,
  spec,
} from './fixtures.js';

const b = (n: number) => backendSpec(`b${n}`);
const keys = (entries: readonly { readonly key: string }[]): string[] =>
  entries.map(({ key }) => key);

function plan(all: Inventory) {
  return drawPlan(all, 0 as WorkerId, {
    version: 7,
    access: 'errors',
    pools: drawPools(all),
    sessionBudget: 1234,
    tableOf: () => null,
    denied: null,
    sockets: () => [],
  });
}

t.test('what stays in the file keeps its rows, whatever else comes and goes', async (t) => {
  const all = inventory();
  const front = listenerSpec('front', 'pg');
  all.apply(spec([poolSpec('pg', { backends: [b(1), b(2)] })], [front]), resolved);
  const before = [...all.backends()].find(({ spec }) => spec.name === 'b2');
  const change = all.apply(
    spec([poolSpec('other'), poolSpec('pg', { backends: [b(3), b(2)] })], [front]),
    resolved,
  );
  const after = [...all.backends()].find(
    ({ spec, pool }) => spec.name === 'b2' && pool.key === 'pg',
  );
  t.equal(before, after);
  t.same(keys(change.departed), ['b1@10.0.0.1:5432']);
  t.same(keys(change.arrived), ['b1@10.0.0.1:5432', 'b2@10.0.0.2:5432', 'b3@10.0.0.3:5432']);
  t.same(change.returned, []);
});

t.test('a backend with another address is another backend under the same name', async (t) => {
  const all = inventory();
  all.apply(spec([poolSpec('pg', { backends: [b(1)] })]), resolved);
  const moved = { ...b(1), address: ipEndpoint(4, '10.9.9.9', 5432) };
  const change = all.apply(spec([poolSpec('pg', { backends: [moved] })]), resolved);
  t.same(keys(change.departed), ['b1@10.0.0.1:5432']);
  t.same(keys(change.arrived), ['b1@10.9.9.9:5432']);
  t.equal(new Set([...all.backends()].map(({ id }) => id)).size, 2);
});

t.test(
  'one that returns before its sessions ended is the same, with its newest limits',
  async (t) => {
    const all = inventory();
    const [only] = all.apply(spec([poolSpec('pg', { backends: [b(1), b(2)] })]), resolved).arrived;
    all.apply(spec([poolSpec('pg', { backends: [b(2)] })]), resolved);
    t.equal(only?.tenure, 'leaving');
    const again = all.apply(
      spec([poolSpec('pg', { backends: [{ ...b(1), maxConnections: 9 }, b(2)] })]),
      resolved,
    );
    t.equal(again.returned[0], only);
    t.same(again.arrived, []);
    t.match(only, { tenure: 'kept', spec: { maxConnections: 9 } });
  },
);

t.test('a row is new for its next owner, and only after it was released', async (t) => {
  const resets: Resets = { backends: [], listeners: [] };
  const all = inventory(resets);
  const [first] = all.apply(spec([poolSpec('pg', { backends: [b(1), b(2)] })]), resolved).arrived;
  if (first === undefined) throw new Error('a backend arrives');
  all.apply(spec([poolSpec('pg', { backends: [b(2), b(3)] })]), resolved);
  t.same(resets.backends, [0, 1, 2], 'a backend that leaves still has its row');
  all.releaseBackend(first);
  all.apply(spec([poolSpec('pg', { backends: [b(2), b(3), b(4)] })]), resolved);
  t.same(resets.backends, [0, 1, 2, first.id]);
});

t.test('a pool that left goes when its last backend is released, and not before', async (t) => {
  const all = inventory();
  all.apply(spec([poolSpec('pg', { backends: [b(1)] }), poolSpec('x')]), resolved);
  const pool = all.pools.get('pg');
  const { departed } = all.apply(spec([poolSpec('x')]), resolved);
  all.releasePools();
  t.equal(all.pools.get('pg'), pool);
  t.same(
    plan(all).pools.map(({ name }) => name),
    ['pg', 'x'],
  );
  for (const entry of departed) all.releaseBackend(entry);
  t.same(
    plan(all).pools.map(({ name }) => name),
    ['x'],
    'workers forget it before its row goes',
  );
  t.equal(all.pools.has('pg'), true);
  all.releasePools();
  t.equal(all.pools.has('pg'), false);
});

t.test('a backend whose name has no address is not there yet, and reported', async (t) => {
  const all = inventory();
  const named = backendSpec('b1', { address: { kind: 'name', host: 'db', port: 5432 } });
  all.apply(spec([poolSpec('pg', { backends: [named] })]), resolved);
  t.same([...all.backends()], []);
  t.same(all.pools.get('pg')?.unresolved, [{ spec: named, standIn: null }]);
  const change = all.apply(spec([poolSpec('pg', { backends: [named] })]), () =>
    ipEndpoint(4, '10.1.1.1', 5432),
  );
  t.same(keys(change.arrived), ['b1@10.1.1.1:5432']);
  t.same(all.pools.get('pg')?.unresolved, []);
});

t.test('a listener whose protocol changes is another listener', async (t) => {
  const all = inventory();
  all.apply(spec([poolSpec('pg')], [listenerSpec('dns', 'pg')]), resolved);
  all.apply(spec([poolSpec('pg')], [listenerSpec('dns', 'pg', { protocol: 'udp' })]), resolved);
  t.same(
    [...all.listeners.values()].map(({ key, tenure }) => [key, tenure]),
    [
      ['tcp/dns', 'leaving'],
      ['udp/dns', 'kept'],
    ],
  );
});

t.test('a plan has of what left only what its sessions need', async (t) => {
  const all = inventory();
  const listeners = [listenerSpec('l1', 'pg', { maxSessions: 5 }), listenerSpec('l2', 'pg')];
  all.apply(spec([poolSpec('pg', { backends: [b(1), b(2)] })], listeners), resolved);
  all.apply(spec([poolSpec('pg', { backends: [b(2)] })], listeners), resolved);
  t.match(plan(all), {
    version: 7,
    listeners: [
      { name: 'l1', maxSessions: 5 },
      { name: 'l2', maxSessions: 1234 },
    ],
    pools: [
      {
        backends: [
          { name: 'b1', draining: true },
          { name: 'b2', draining: false },
        ],
      },
    ],
  });
  all.apply(spec([poolSpec('pg', { backends: [b(2)] })], []), resolved);
  t.same(plan(all).listeners, []);
});
