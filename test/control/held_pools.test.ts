import t from 'tap';
import { HeldPools } from '../../src/control/held_pools.js';
import type { PoolSpec } from '../../src/core/spec.js';
import type { Change } from '../support/changed.js';
import { inventory, poolSpec, resolved, spec } from './fixtures.js';

function setUp() {
  const told: string[] = [];
  const held = new HeldPools(({ spec: { name } }, spanMs) => told.push(`${name} ${spanMs}`));
  const all = inventory();
  const follow = (change: Change<PoolSpec>, nowMs: number): void => {
    const times = { drainTimeoutMs: 10_000, drainSpreadMs: 2000 };
    all.apply(spec([poolSpec('pg', { ...times, ...change })]), resolved);
    held.follow(all.pools.values(), nowMs);
  };
  return { held, told, follow };
}

const HELD = { heldAtMost: 9, whileHeld: 'drain' } as const;

t.test('the sessions of a pool that is held with --drain end after their time, once', async (t) => {
  const { held, told, follow } = setUp();
  follow(HELD, 0);
  t.notOk(held.idle);
  held.look(9_999);
  follow(HELD, 9_999);
  t.same(told, []);
  held.look(10_000);
  held.look(30_000);
  t.same(told, ['b1 2000', 'b2 2000']);
  t.ok(held.idle);
});

t.test('a release before that lets them be, and a hold without --drain too', async (t) => {
  const { held, told, follow } = setUp();
  follow(HELD, 0);
  follow({}, 5_000);
  held.look(20_000);
  follow({ heldAtMost: 9 }, 30_000);
  held.look(60_000);
  follow(HELD, 60_000);
  held.look(69_999);
  t.same(told, [], 'its time begins with the second hold');
});

t.test('no time at all still waits for the plan to be everywhere', async (t) => {
  const { held, told, follow } = setUp();
  follow({ ...HELD, drainTimeoutMs: 0 }, 0);
  held.look(999);
  t.same(told, []);
  held.look(1_000);
  t.equal(told.length, 2);
});
