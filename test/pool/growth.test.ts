/** What a pool costs when its plan or a backend changes: counted in steps, not in time. */
import t from 'tap';
import type { BackendId, PoolId, WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { MAX_BACKENDS } from '../../src/core/limits.js';
import type { PoolPlan } from '../../src/core/plan.js';
import { seededRandom } from '../../src/core/random.js';
import { POLICY_NAMES, type PolicyName } from '../../src/core/spec.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { Pool } from '../../src/pool/pool.js';
import { poolSettings } from '../support/changed.js';
import { FakeTime } from '../support/fake_time.js';
import { policyNamed } from '../support/policies.js';
import { StepCounter } from '../support/steps.js';

const GREAT = Math.min(MAX_BACKENDS, 16_384);
const SMALL = GREAT / 64;
/** A table of source-hash has its size whatever the pool's is. */
const TABLE = 251;

const steps = new StepCounter('/src/balance/', '/src/pool/', '/src/core/');
await steps.start();

for (const policy of POLICY_NAMES) {
  t.test(`${policy}: an update of ${GREAT} backends is linear`, async (t) => {
    const [few, many] = [await update(SMALL), await update(GREAT)];
    // Sorting by name is a little more than linear.
    t.ok(many <= 64 * 1.5 * few, `${few} steps of ${SMALL}, and ${many} of ${GREAT}`);

    async function update(size: number): Promise<number> {
      const { pool, plan } = poolOf(policy, size);
      choose(pool);
      await steps.take();
      // The first backend has left, so that all the others have moved.
      pool.update({ ...plan, backends: plan.backends.slice(1) });
      choose(pool);
      return steps.take();
    }
  });

  t.test(`${policy}: a backend of ${GREAT} that comes or goes costs a few steps`, async (t) => {
    const [few, many] = [await change(SMALL), await change(GREAT)];
    t.ok(many <= 3 * few, `${few} steps of ${SMALL}, and ${many} of ${GREAT}`);
    t.ok(many <= 1500, `${many} steps`);

    async function change(size: number): Promise<number> {
      const { pool, ledger } = poolOf(policy, size);
      choose(pool);
      await steps.take();
      for (let id = 0; id < 100; id++) {
        ledger.setHealth(id as BackendId, 'down');
        choose(pool);
        ledger.setHealth(id as BackendId, 'up');
        ledger.setWeight(id as BackendId, 0.5);
        choose(pool);
      }
      return (await steps.take()) / 200;
    }
  });
}

t.teardown(() => steps.stop());

function choose(pool: Pool): void {
  const selection = pool.select({ clientKey: Uint8Array.of(10, 0, 0, 1), tried: null });
  if (selection.kind === 'chosen') selection.lease.settle('neutral');
}

function poolOf(policy: PolicyName, size: number) {
  const ledger = new Ledger(createLedgerMemory());
  const plan: PoolPlan = {
    id: 0 as PoolId,
    name: 'great',
    settings: poolSettings({
      policy: policyNamed(policy, { tableSize: TABLE }),
      panicPercent: 50,
    }),
    backends: Array.from({ length: size }, (_, row) => ({
      id: row as BackendId,
      name: `b${row}`,
      endpoint: ipEndpoint(4, `10.0.${row >> 8}.${row & 255}`, 5432),
      weight: 1 + (row % 3),
      rank: 0,
      draining: false,
      yielding: false,
    })),
  };
  for (const { id, weight } of plan.backends) {
    ledger.setWeight(id, weight);
    ledger.setHealth(id, 'up');
  }
  const pool = new Pool(plan, {
    ledger,
    worker: 0 as WorkerId,
    clock: new FakeTime(),
    random: seededRandom(1),
    freed: () => {},
    ejected: () => {},
  });
  return { pool, plan, ledger };
}
