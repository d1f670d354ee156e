import t from 'tap';
import { HeldPools } from '../../src/control/held_pools.js';
import type { PoolSpec } from '../../src/core/spec.js';
import type { Change } from '../support/changed.js';
import { inventory, poolSpec, resolved, spec } from './fixtures.js';

function setUp() {
  const told: string[] = [];
  const held = new HeldPools({
    close: ({ spec: { name } }, spanMs) => told.push(`${name} ${spanMs}`),
    spare: ({ spec: { name } }, stage) => told.push(`spare ${name} ${stage}`),
  });
  const all = inventory();
  const follow = (change: Change<PoolSpec>, nowMs: number): void => {
    const times = { drainTimeoutMs: 10_000, drainSpreadMs: 2000 };
    all.apply(spec([poolSpec('pg', { ...times, ...change })]), resolved);
    held.follow(all.pools.values(), nowMs);
  };
  return { held, told, follow };
}

const HELD = { heldAtMost: 9, whileHeld: 'drain' } as const;

t.test('the sessions of a pool that is held with --drain end at once, and once', async (t) => {
  const { held, told, follow } = setUp();
  follow(HELD, 0);
  t.notOk(held.idle);
  held.look(999);
  follow(HELD, 999);
  t.same(told, [], 'the plan has to be everywhere');
  held.look(1_000);
  held.look(30_000);
  t.same(told, ['b1 2000', 'b2 2000']);
  t.ok(held.idle);
});

t.test('a release takes back what was ordered, or ever would be', async (t) => {
  const { held, told, follow } = setUp();
  follow(HELD, 0);
  follow({}, 500);
  held.look(20_000);
  t.same(told.splice(0), ['spare b1 running-on', 'spare b2 running-on']);
  follow({ heldAtMost: 9 }, 30_000);
  held.look(60_000);
  t.same(told, [], 'a hold without --drain ends none');
  follow(HELD, 60_000);
  held.look(60_999);
  t.same(told, [], 'its time begins with the second hold');
  held.look(61_000);
  follow({ heldAtMost: 9 }, 62_000);
  held.look(90_000);
  t.same(told, ['b1 2000', 'b2 2000', 'spare b1 closing', 'spare b2 closing']);
});
