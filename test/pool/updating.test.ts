/** A large pool goes over to a new plan in stretches, between which anything may happen. Seeded. */
import t from 'tap';
import type { BackendId, PoolId, WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { PoolPlan } from '../../src/core/plan.js';
import { below, seededRandom } from '../../src/core/random.js';
import { POLICY_NAMES, type PolicyName } from '../../src/core/spec.js';
import { ITEMS_PER_STRETCH } from '../../src/core/stretches.js';
import { ineligible } from '../../src/pool/eligibility.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { Pool } from '../../src/pool/pool.js';
import { poolSettings } from '../support/changed.js';
import { FakeTime } from '../support/fake_time.js';
import { policyNamed } from '../support/policies.js';
import { seed } from '../support/seed.js';

const SIZE = 2 * ITEMS_PER_STRETCH + 100;
/** Half of the members leave, and as many arrive. */
const MOVED = SIZE / 2;
const CHOICES = 50;

const CASES: readonly (readonly [PolicyName, 'maglev' | 'ring'])[] = [
  ...POLICY_NAMES.map((policy) => [policy, 'maglev'] as const),
  ['source-hash', 'ring'],
];

for (const [policy, algorithm] of CASES) {
  t.test(`${policy} (${algorithm}): the old members serve to the end, then the new ones`, (t) => {
    const random = seededRandom(seed);
    const ledger = new Ledger(createLedgerMemory());
    for (let id = 0; id < SIZE + MOVED; id++) {
      ledger.setWeight(id as BackendId, 1);
      ledger.setHealth(id as BackendId, 'up');
    }
    const deps = { ledger, worker: 0 as WorkerId, clock: new FakeTime(), random };
    const make = (plan: PoolPlan): Pool =>
      new Pool(plan, { ...deps, freed: () => {}, ejected: () => {} });
    const change = (): void => {
      const id = below(random, SIZE + MOVED) as BackendId;
      const kind = below(random, 4);
      if (kind === 0) ledger.setHealth(id, below(random, 2) === 0 ? 'up' : 'down');
      else if (kind === 1) ledger.setWeight(id, below(random, 3));
      else if (kind === 2) ledger.setCap(id, below(random, 2));
      else ledger.tryTake(id, 1 as WorkerId);
    };
    const choose = (pool: Pool, first: number): void => {
      const clientKey = Uint8Array.from({ length: 4 }, () => below(random, 256));
      const selection = pool.select({ clientKey, tried: null });
      if (selection.kind !== 'chosen') {
        t.fail(`no backend serves: ${selection.kind}`);
        return;
      }
      const { id } = selection.lease.backend;
      if (id < first || id >= first + SIZE) t.fail(`${id} is no member`);
      selection.lease.connected(1);
      selection.lease.settle('served');
      if (ineligible(ledger, id, null, 'health') !== null) t.fail(`${id} is not eligible`);
    };
    const pool = make(planOf(policy, algorithm, 0));
    const after = planOf(policy, algorithm, MOVED);
    let stretches = 1;
    for (const _ of pool.updating(after)) {
      stretches++;
      for (let n = 0; n < 20; n++) change();
      choose(pool, 0);
    }
    t.ok(stretches > SIZE / ITEMS_PER_STRETCH, `${stretches} stretches`);
    for (let n = 0; n < CHOICES; n++) choose(pool, MOVED);
    const request = { clientKey: new Uint8Array(4), tried: null };
    // What was learnt stays, and makes other scores.
    const reasons = (of: Pool) =>
      of.explain(request, seededRandom(1)).members.map(({ name, reason }) => [name, reason]);
    t.same(reasons(pool), reasons(make(after)));
    t.end();
  });
}

function planOf(policy: PolicyName, algorithm: 'maglev' | 'ring', first: number): PoolPlan {
  return {
    id: 0 as PoolId,
    name: 'any',
    settings: poolSettings({
      policy: policyNamed(policy, { algorithm }),
    }),
    backends: Array.from({ length: SIZE }, (_, index) => ({
      id: (first + index) as BackendId,
      name: `b${first + index}`,
      endpoint: ipEndpoint(4, `10.0.${(first + index) >> 8}.${(first + index) & 255}`, 5432),
      weight: 1 + (index % 3),
      rank: 0,
      draining: false,
      yielding: false,
    })),
  };
}
