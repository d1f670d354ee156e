/** What happens in one pool costs no other pool anything: counted in steps, and in entries. */
import t from 'tap';
import type { BackendId, PoolId, WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { PoolPlan } from '../../src/core/plan.js';
import { seededRandom } from '../../src/core/random.js';
import { POLICY_NAMES, type PolicyName } from '../../src/core/spec.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { Pool } from '../../src/pool/pool.js';
import { poolSettings } from '../support/changed.js';
import { FakeTime } from '../support/fake_time.js';
import { policyNamed } from '../support/policies.js';
import { StepCounter } from '../support/steps.js';

const SIZE = 512;
const SESSIONS = 2_000;
const CHOICES = 8;
const QUIET = 0 as PoolId;
const BUSY = 1 as PoolId;
const REQUEST = { clientKey: Uint8Array.of(10, 0, 0, 1), tried: null };

const steps = new StepCounter('/src/balance/', '/src/pool/');
await steps.start();

for (const policy of POLICY_NAMES) {
  for (const beside of ['least-connections', 'all at their caps'] as const) {
    t.test(`${policy} beside a busy pool, ${beside}: a choice costs what it did`, async (t) => {
      const ledger = new Ledger(createLedgerMemory());
      const quiet = poolOf(ledger, planOf(QUIET, policy));
      const plan = planOf(BUSY, beside === 'least-connections' ? beside : 'p2c');
      const busy = poolOf(ledger, plan);
      if (beside === 'all at their caps') for (const { id } of plan.backends) ledger.setCap(id, 1);
      serve(quiet, CHOICES);
      const before = await cost(quiet, () => {});
      const after = await cost(quiet, () => serve(busy, SESSIONS));
      t.ok(after <= 2 * before, `${before} steps, and ${after}`);
    });
  }
}

t.test('counts are noted for as long as a policy keeps an order by them', async (t) => {
  const ledger = new Ledger(createLedgerMemory());
  const first = planOf(BUSY, 'least-connections');
  const pool = poolOf(ledger, first);
  const reader = ledger.changes.readerOf(BUSY, []);
  const entries = (): number => {
    reader.skip();
    serve(pool, 10);
    return reader.unread;
  };
  t.equal(entries(), 20, 'each session twice');
  pool.update({ ...first, settings: poolSettings({ policy: policyNamed('p2c') }) });
  t.equal(entries(), 0, 'p2c looks counts up');
  pool.update(first);
  t.equal(entries(), 20);
  const [gone] = first.backends;
  pool.update({ ...first, backends: first.backends.slice(1) });
  reader.skip();
  const id = gone?.id ?? (0 as BackendId);
  ledger.tryTake(id, 0 as WorkerId);
  t.equal(reader.unread, 0, 'one that has left the pool');
  t.equal(entries(), 20, 'those that stay');
  pool.close();
  t.equal(entries(), 0, 'a pool that is in no plan');
});

t.teardown(() => steps.stop());

/** Steps of some choices after `event`. */
async function cost(pool: Pool, event: () => void): Promise<number> {
  event();
  await steps.take();
  serve(pool, CHOICES);
  return steps.take();
}

function serve(pool: Pool, sessions: number): void {
  for (let n = 0; n < sessions; n++) {
    const selection = pool.select(REQUEST);
    if (selection.kind === 'chosen') selection.lease.settle('served');
  }
}

function planOf(id: PoolId, policy: PolicyName): PoolPlan {
  return {
    id,
    name: `p${id}`,
    settings: poolSettings({ policy: policyNamed(policy, { tableSize: 251 }) }),
    backends: Array.from({ length: SIZE }, (_, index) => ({
      id: (id * SIZE + index) as BackendId,
      name: `b${index}`,
      endpoint: ipEndpoint(4, `10.${id}.${index >> 8}.${index & 255}`, 5432),
      weight: 1,
      rank: 0,
      draining: false,
      yielding: false,
    })),
  };
}

function poolOf(ledger: Ledger, plan: PoolPlan): Pool {
  for (const { id } of plan.backends) {
    ledger.setWeight(id, 1);
    ledger.setHealth(id, 'up');
  }
  return new Pool(plan, {
    ledger,
    worker: 0 as WorkerId,
    clock: new FakeTime(),
    random: seededRandom(1),
    freed: () => {},
    ejected: () => {},
  });
}
