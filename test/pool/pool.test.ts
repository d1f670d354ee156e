import t from 'tap';
import type { BackendId, PoolId, WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { BackendPlan, PoolPlan } from '../../src/core/plan.js';
import { seededRandom } from '../../src/core/random.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { Pool } from '../../src/pool/pool.js';
import type { Lease, Selection } from '../../src/pool/selection.js';
import { type Change, changed, poolSettings } from '../support/changed.js';
import { FakeTime } from '../support/fake_time.js';

const CLIENT = { clientKey: new Uint8Array(0), tried: null };
const id = (index: number): BackendId => index as BackendId;

function backend(index: number, change: Partial<BackendPlan> = {}): BackendPlan {
  return {
    id: id(index),
    name: `b${index}`,
    endpoint: ipEndpoint(4, `10.0.0.${index}`, 5432),
    weight: 1,
    rank: 0,
    draining: false,
    yielding: false,
    ...change,
  };
}

function setUp(change: Change<PoolPlan> = {}) {
  const ledger = new Ledger(createLedgerMemory());
  const unchanged: PoolPlan = {
    id: 0 as PoolId,
    name: 'pg',
    settings: poolSettings({
      policy: { name: 'least-connections' },
    }),
    backends: [0, 1, 2].map((index) => backend(index)),
  };
  const plan = changed(unchanged, change);
  for (const member of plan.backends) {
    ledger.setWeight(member.id, member.weight);
    ledger.setHealth(member.id, 'up');
  }
  let freed = 0;
  const time = new FakeTime();
  const pool = new Pool(plan, {
    ledger,
    worker: 0 as WorkerId,
    clock: time,
    random: seededRandom(1),
    freed: () => freed++,
    ejected: () => {},
  });
  return { ledger, plan, pool, time, freed: () => freed };
}

function lease(selection: Selection): Lease {
  if (selection.kind === 'chosen') return selection.lease;
  throw new Error(`nothing was chosen: ${JSON.stringify(selection)}`);
}

const shares = (pool: Pool, count: number): Record<string, number> => {
  const chosen: Record<string, number> = {};
  for (let n = 0; n < count; n++) {
    const { backend } = lease(pool.select(CLIENT));
    chosen[backend.name] = (chosen[backend.name] ?? 0) + 1;
  }
  return chosen;
};

t.test(
  'a choice reserves, and a settled lease gives back and reports that a place is free',
  async (t) => {
    const { pool, ledger, freed } = setUp();
    const held = lease(pool.select(CLIENT));
    t.equal(ledger.active(held.backend.id), 1);
    held.connected(3);
    held.answered(5);
    held.settle('served');
    t.equal(ledger.active(held.backend.id), 0);
    t.equal(freed(), 1);
    t.throws(() => held.settle('neutral'), { message: /settled twice/ });
    t.equal(ledger.active(held.backend.id), 0);
  },
);

t.test('only a failed lease counts a failure, only an answer ends the run', async (t) => {
  const { pool, ledger } = setUp({ backends: [backend(0)] });
  lease(pool.select(CLIENT)).settle('failed');
  lease(pool.select(CLIENT)).settle('neutral');
  t.equal(ledger.ejections.failuresInARow(id(0)), 1);
  lease(pool.select(CLIENT)).answered(1);
  t.equal(ledger.ejections.failuresInARow(id(0)), 0);
});

t.test('an answer to a session of an earlier term ends no run of failures', async (t) => {
  const { pool, ledger } = setUp({ backends: [backend(0)] });
  const earlier = lease(pool.select(CLIENT));
  ledger.ejections.forget(id(0));
  lease(pool.select(CLIENT)).settle('failed');
  earlier.answered(1);
  t.equal(ledger.ejections.failuresInARow(id(0)), 1);
});

t.test('a burst is level: choices count before anything is dialled', async (t) => {
  const { pool } = setUp();
  t.same(shares(pool, 30), { b0: 10, b1: 10, b2: 10 });
});

t.test(
  'the caps of all backends are filled to the last place, and then all are full',
  async (t) => {
    const { pool, ledger } = setUp();
    for (const [index, cap] of [5, 1, 3].entries()) ledger.setCap(id(index), cap);
    t.same(shares(pool, 9), { b0: 5, b1: 1, b2: 3 });
    t.same(pool.select(CLIENT), { kind: 'none', reason: 'all-full' });
  },
);

t.test('backups serve when, and only when, no other is eligible', async (t) => {
  const { pool, ledger } = setUp({ backends: [backend(0), backend(1, { rank: 1 })] });
  t.same(shares(pool, 5), { b0: 5 });
  t.match(pool.explain(CLIENT, seededRandom(1)).members, [
    { reason: null },
    { name: 'b1', reason: 'backup' },
  ]);
  ledger.setHealth(id(0), 'down');
  t.same(shares(pool, 5), { b1: 5 });
  t.match(pool.explain(CLIENT, seededRandom(1)).members, [{ reason: 'down' }, { reason: null }]);
  ledger.setHealth(id(0), 'up');
  t.same(shares(pool, 1), { b0: 1 });
  ledger.setCap(id(0), 6);
  t.same(shares(pool, 1), { b1: 1 });
});

t.test('backups in an order serve one at a time, as sessions try and places fill', async (t) => {
  const ranks = [0, 3, 1, 2];
  const { pool, ledger, plan } = setUp({
    backends: ranks.map((rank, index) => backend(index, { rank })),
  });
  ledger.setHealth(id(0), 'down');
  t.same(shares(pool, 5), { b2: 5 });
  const { chosen, members } = pool.explain({ ...CLIENT, tried: [id(2)] }, seededRandom(1));
  t.equal(chosen, 'b3');
  t.same(
    members.map(({ reason }) => reason),
    ['down', 'backup', 'tried', null],
  );
  t.same(shares(pool, 1), { b2: 1 }, 'the one that was tried is first for others');
  ledger.setCap(id(2), 7);
  t.same(shares(pool, 3), { b2: 1, b3: 2 });
  ledger.setHealth(id(2), 'down');
  ledger.setHealth(id(3), 'down');
  t.same(shares(pool, 2), { b1: 2 });
  ledger.setHealth(id(3), 'up');
  t.same(shares(pool, 2), { b3: 2 }, 'an earlier one is back');
  pool.update({ ...plan, backends: plan.backends.map((one) => ({ ...one, rank: 1 })) });
  t.same(Object.keys(shares(pool, 4)).sort(), ['b1', 'b3'], 'all together');
});

t.test('a backend that a plan drops gets no session, before its row says so', async (t) => {
  const change = { panicPercent: 50, backends: [backend(0), backend(1)] };
  const { pool, plan, ledger } = setUp(change);
  ledger.setHealth(id(1), 'down');
  t.same(shares(pool, 4), { b0: 4 });
  pool.update({ ...plan, backends: [backend(0, { draining: true }), backend(1)] });
  t.same(shares(pool, 4), { b1: 4 }, 'all that could serve are down: panic');
  t.match(pool.explain(CLIENT, seededRandom(1)).members, [{ reason: 'drained' }, { reason: null }]);
  t.ok(pool.mayStay(id(0)), 'what it has stays');
  pool.update(plan);
  t.same(shares(pool, 4), { b0: 4 });
});

t.test('a session never gets a backend that it has tried', async (t) => {
  const { pool } = setUp();
  const tried: BackendId[] = [];
  for (let n = 0; n < 3; n++) {
    const { backend } = lease(pool.select({ ...CLIENT, tried }));
    t.notOk(tried.includes(backend.id));
    tried.push(backend.id);
  }
  t.same(pool.select({ ...CLIENT, tried }), { kind: 'none', reason: 'all-down' });
});

t.test('the reason for nothing is the one that gives most hope', async (t) => {
  const { pool, ledger } = setUp();
  const reason = (): string => {
    const selection = pool.select(CLIENT);
    return selection.kind === 'none' ? selection.reason : selection.kind;
  };
  for (const index of [0, 1, 2]) ledger.setClosed(id(index), 'removed');
  t.equal(reason(), 'no-backend');
  ledger.clearClosed(id(0), 'removed');
  ledger.setHealth(id(0), 'down');
  t.equal(reason(), 'all-down');
  ledger.clearClosed(id(1), 'removed');
  ledger.setHealth(id(1), 'unproven');
  t.equal(reason(), 'unproven');
  ledger.clearClosed(id(2), 'removed');
  ledger.setCap(id(2), 1);
  t.equal(reason(), 'chosen');
  t.equal(reason(), 'all-full');
  t.equal(pool.explain(CLIENT, seededRandom(1)).sentence, 'No backend is eligible.');
});

t.test(
  'panic uses those that are down or ejected, but none that left, has no weight or is full',
  async (t) => {
    const { pool, ledger } = setUp({
      panicPercent: 50,
      backends: [0, 1, 2, 3, 4].map((index) => backend(index)),
    });
    ledger.setHealth(id(0), 'down');
    t.same(Object.keys(shares(pool, 20)).sort(), ['b1', 'b2', 'b3', 'b4'], 'four of five are well');
    ledger.setClosed(id(1), 'ejected');
    ledger.setClosed(id(2), 'removed');
    ledger.setWeight(id(3), 0);
    t.equal(pool.explain(CLIENT, seededRandom(1)).members[0]?.reason, null, 'one of three is well');
    t.same(Object.keys(shares(pool, 20)).sort(), ['b0', 'b1', 'b4']);
    ledger.setHealth(id(4), 'unproven');
    t.same(Object.keys(shares(pool, 20)).sort(), ['b0', 'b1']);
  },
);

t.test('which sessions may stay is a matter of health and drain only', async (t) => {
  const { pool, ledger } = setUp({ backends: [backend(0)] });
  t.ok(pool.mayStay(id(0)));
  ledger.setClosed(id(0), 'ejected');
  ledger.setWeight(id(0), 0);
  t.ok(pool.mayStay(id(0)));
  ledger.setHealth(id(0), 'down');
  t.notOk(pool.mayStay(id(0)));
  ledger.setHealth(id(0), 'up');
  ledger.setClosed(id(0), 'expired');
  t.notOk(pool.mayStay(id(0)));
});

t.test('what was learnt about a backend that stays survives an update that moves it', async (t) => {
  const { pool, plan, ledger } = setUp({
    policy: { name: 'least-latency' },
    backends: [backend(0), backend(1)],
  });
  for (let n = 0; n < 20; n++) {
    const held = lease(pool.select(CLIENT));
    held.connected(held.backend.id === id(0) ? 500 : 1);
    held.settle('served');
  }
  const swift = (): string => {
    const held = lease(pool.select(CLIENT));
    held.settle('neutral');
    return held.backend.name;
  };
  t.equal(swift(), 'b1');
  ledger.setWeight(id(2), 1);
  ledger.setHealth(id(2), 'down');
  pool.update({ ...plan, backends: [backend(2), backend(1), backend(0)] });
  for (let n = 0; n < 20; n++) t.equal(swift(), 'b1');
});

t.test(
  'one that is back is judged anew: what its bad time was like keeps no load away',
  async (t) => {
    for (const name of ['least-latency', 'adaptive'] as const) {
      const { pool, ledger, time } = setUp({
        policy: { name },
        backends: [backend(0), backend(1)],
      });
      const late = [1, 2, 3, 4].map(() => lease(pool.select(CLIENT)));
      ledger.setHealth(id(0), 'down');
      t.equal(lease(pool.select(CLIENT)).backend.name, 'b1');
      // What had stood still answers at last, just before its probes find it well.
      for (const one of late) {
        one.answered(one.backend.id === id(0) ? 5_000 : 1);
        one.settle(one.backend.id === id(0) ? 'failed' : 'served');
      }
      await time.pass(500);
      ledger.setHealth(id(0), 'up');
      const { b0 = 0 } = shares(pool, 20);
      t.ok(b0 >= 8, `${name}: ${b0} of 20`);
    }
  },
);

t.test('a lease from before an update settles at its own backend', async (t) => {
  const { pool, plan, ledger } = setUp();
  const held = [1, 2, 3].map(() => lease(pool.select(CLIENT)));
  pool.update(changed(plan, { policy: { name: 'p2c' }, backends: [backend(2)] }));
  t.equal(pool.settings.policy.name, 'p2c');
  for (const one of held) {
    one.connected(1);
    one.answered(1);
    one.settle('served');
  }
  t.same(
    [0, 1, 2].map((index) => ledger.active(id(index))),
    [0, 0, 0],
  );
});

t.test('a backend that stays is the same object, so that an engine may cache by it', async (t) => {
  const { pool, plan } = setUp({ backends: [backend(0)] });
  const before = lease(pool.select(CLIENT)).backend;
  pool.update(changed(plan, { retries: 9 }));
  t.equal(lease(pool.select(CLIENT)).backend, before);
  t.equal(pool.settings.retries, 9);
});
