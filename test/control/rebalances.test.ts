import t from 'tap';
import { Rebalances } from '../../src/control/rebalances.js';
import type { WorkerId } from '../../src/core/brand.js';
import type { PoolSpec } from '../../src/core/spec.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import type { Change } from '../support/changed.js';
import { policyNamed } from '../support/policies.js';
import { backendSpec, Events, inventory, poolSpec, resolved, spec } from './fixtures.js';

const [w0, w1] = [0 as WorkerId, 1 as WorkerId];

/** 60 sessions at b1, two thirds of them in worker 0, and b2 has come back. */
function setUp(change: Change<PoolSpec>) {
  const ledger = new Ledger(createLedgerMemory());
  const all = inventory();
  const backends = [backendSpec('b1'), backendSpec('b2')];
  all.apply(spec([poolSpec('pg', { rebalancePercent: 50, backends, ...change })]), resolved);
  const [busy, returned] = [...all.backends()];
  if (busy === undefined || returned === undefined) throw new Error('two backends are needed');
  for (const { id } of [busy, returned]) {
    ledger.setWeight(id, 1);
    ledger.setHealth(id, 'up');
  }
  for (let n = 0; n < 60; n++) ledger.tryTake(busy.id, n % 3 === 0 ? w1 : w0);
  const moved = { count: 0, workers: new Set<WorkerId>() };
  const log = new Events();
  const rebalances = new Rebalances({
    ledger,
    inventory: all,
    log,
    workers: 2,
    move: (worker, { backend, limit, cause }) => {
      t.equal(cause, 'rebalanced');
      t.equal(backend, busy.id);
      moved.workers.add(worker);
      for (let one = limit?.count ?? 0; one > 0; one--) {
        ledger.giveBack(busy.id, worker);
        ledger.tryTake(returned.id, worker);
        moved.count++;
      }
    },
  });
  const pass = (fromMs: number, untilMs: number): void => {
    for (let now = fromMs; now < untilMs; now += 100) rebalances.look(now);
  };
  return { ledger, rebalances, busy, returned, moved, log, pass };
}

t.test(
  'after a backend came back, both workers move sessions until the load is level',
  async (t) => {
    const { rebalances, returned, busy, ledger, moved, pass, log } = setUp({});
    rebalances.returned(returned, 0);
    pass(0, 60_000);
    t.equal(moved.count, 0, 'what fled a minute ago is not long-lived');
    pass(60_000, 120_000);
    t.ok(moved.count > 20 && moved.count <= 30, `${moved.count}`);
    pass(120_000, 400_000);
    t.ok(Math.abs(ledger.active(busy.id) - ledger.active(returned.id)) <= 4);
    t.equal(moved.workers.size, 2);
    t.ok(log.names.includes('sessions-closing'));
  },
);

t.test('without rebalance_percent, and with source-hash, nothing moves', async (t) => {
  for (const change of [{ rebalancePercent: 0 }, { policy: policyNamed('source-hash') }] as const) {
    const { rebalances, returned, moved, pass } = setUp(change);
    rebalances.returned(returned, 0);
    pass(0, 600_000);
    t.equal(moved.count, 0);
  }
});

t.test('nothing moves to a backend that is down, ejected or drained', async (t) => {
  for (const trouble of ['down', 'ejected', 'removed'] as const) {
    const { rebalances, returned, moved, pass, ledger } = setUp({});
    rebalances.returned(returned, 0);
    if (trouble === 'down') ledger.setHealth(returned.id, 'down');
    else ledger.setClosed(returned.id, trouble);
    pass(0, 600_000);
    t.equal(moved.count, 0, trouble);
  }
});

t.test('a slow start that takes longer is waited for', async (t) => {
  const { rebalances, returned, moved, pass } = setUp({ slowStartMs: 300_000 });
  rebalances.returned(returned, 0);
  pass(0, 300_000);
  t.equal(moved.count, 0);
  pass(300_000, 400_000);
  t.ok(moved.count > 0);
});
