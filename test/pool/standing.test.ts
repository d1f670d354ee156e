/** The account of a pool's standing, and that the real choice agrees with it. */
import t from 'tap';
import type { BackendId, PoolId, WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { BackendPlan, PoolPlan } from '../../src/core/plan.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { Pool } from '../../src/pool/pool.js';
import type { Selection } from '../../src/pool/selection.js';
import { canServe, standingOf } from '../../src/pool/standing.js';
import { poolSettings } from '../support/changed.js';
import { FakeTime } from '../support/fake_time.js';
import { policyNamed } from '../support/policies.js';
import { seed } from '../support/seed.js';

const CLIENT = { clientKey: new Uint8Array(0), tried: null };
const MOST = 6;
const HEALTH = ['unproven', 'up', 'down', 'standby'] as const;
const POLICIES = ['p2c', 'least-connections', 'round-robin', 'random', 'source-hash'] as const;

const RING = { algorithm: 'ring', balanceFactor: 0 } as const;

t.test(`the account and the real choice agree in any situation (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const ledger = new Ledger(createLedgerMemory());
  for (let round = 0; round < 4_000; round++) {
    const plan = anyPlan(random);
    for (const { id } of plan.backends) anyState(ledger, id, random);
    const standing = standingOf(ledger, plan.backends, plan.settings.panicPercent);
    const pool = new Pool(plan, {
      ledger,
      worker: 0 as WorkerId,
      clock: new FakeTime(),
      random,
      freed: () => {},
      ejected: () => {},
    });
    const explained = pool.explain(CLIENT, seededRandom(1)).members.map(({ reason }) => reason);
    const selection = pool.select(CLIENT);
    const chosen = plan.backends.findIndex(({ name }) => name === nameOf(selection));
    const why = whyOf(selection);
    if (selection.kind === 'chosen') selection.lease.settle('neutral');
    const told = JSON.stringify({ round, standing, plan, why, chosen });
    t.same(explained, standing.reasons, told);
    if (chosen >= 0) t.equal(standing.reasons[chosen], null, told);
    else t.equal(why, standing.serves, told);
    t.equal(chosen >= 0, standing.eligible > 0, told);
    t.equal(canServe(standing), chosen >= 0 || why === 'all-full', told);
    t.equal(standing.eligible, standing.reasons.filter((reason) => reason === null).length, told);
    for (const { id } of plan.backends) free(ledger, id);
  }
});

t.test('one backend in another role of three is no reason for panic', async (t) => {
  const { ledger, members } = three();
  ledger.setHealth(members[1].id, 'standby');
  ledger.setHealth(members[2].id, 'standby');
  t.match(standingOf(ledger, members, 50), { regard: 'health', serves: 'first', eligible: 1 });
  ledger.setHealth(members[0].id, 'down');
  t.match(standingOf(ledger, members, 50), {
    regard: 'panic',
    serves: 'all',
    reasons: [null, 'standby', 'standby'],
  });
});

t.test('what has had no verdict yet is no reason for panic', async (t) => {
  const { ledger, members } = three();
  ledger.setHealth(members[1].id, 'unproven');
  ledger.setHealth(members[2].id, 'unproven');
  t.match(standingOf(ledger, members, 50), { regard: 'health', serves: 'first', eligible: 1 });
});

t.test('in panic backups are used like all others', async (t) => {
  const { ledger, members } = three();
  const backups = members.map((member, index) => ({ ...member, rank: index === 2 ? 1 : 0 }));
  ledger.setHealth(members[0].id, 'down');
  ledger.setHealth(members[1].id, 'down');
  t.match(standingOf(ledger, backups, 30), { serves: 'backup', reasons: ['down', 'down', null] });
  t.match(standingOf(ledger, backups, 40), { serves: 'all', reasons: [null, null, null] });
});

t.test('of backups in an order one serves, and the next one once it cannot', async (t) => {
  const { ledger, members } = three();
  const inOrder = members.map((member, index) => ({ ...member, rank: index }));
  ledger.setHealth(members[0].id, 'down');
  t.match(standingOf(ledger, inOrder, 0), {
    serves: 'backup',
    rank: 1,
    reasons: ['down', null, 'backup'],
  });
  ledger.setHealth(members[1].id, 'down');
  t.match(standingOf(ledger, inOrder, 0), { rank: 2, reasons: ['down', 'down', null] });
  t.match(standingOf(ledger, inOrder, 70), { serves: 'all', reasons: [null, null, null] });
});

function three() {
  const ledger = new Ledger(createLedgerMemory());
  const member = (index: number) => ({ id: index as BackendId, rank: 0 });
  const members = [member(0), member(1), member(2)] as const;
  for (const { id } of members) {
    ledger.setWeight(id, 1);
    ledger.setHealth(id, 'up');
  }
  return { ledger, members };
}

function anyPlan(random: Random): PoolPlan {
  const count = below(random, MOST + 1);
  return {
    id: 0 as PoolId,
    name: 'any',
    settings: poolSettings({
      policy: policyNamed(POLICIES[below(random, POLICIES.length)] ?? 'p2c', RING),
      panicPercent: below(random, 2) === 0 ? 0 : below(random, 101),
    }),
    backends: Array.from({ length: count }, (_, index) => anyBackend(index, random)),
  };
}

function anyBackend(index: number, random: Random): BackendPlan {
  return {
    id: index as BackendId,
    name: `b${index}`,
    endpoint: ipEndpoint(4, `10.0.0.${index}`, 5432),
    weight: 1,
    rank: below(random, 3),
    draining: false,
    yielding: false,
  };
}

function anyState(ledger: Ledger, id: BackendId, random: Random): void {
  ledger.resetBackend(id);
  ledger.setWeight(id, below(random, 5) === 0 ? 0 : 1);
  ledger.setHealth(id, below(random, 3) > 0 ? 'up' : (HEALTH[below(random, 4)] ?? 'up'));
  if (below(random, 4) === 0) ledger.setClosed(id, 'ejected');
  if (below(random, 8) === 0) ledger.setClosed(id, 'removed');
  if (below(random, 16) === 0) ledger.setClosed(id, 'expired');
  if (below(random, 3) === 0) {
    ledger.setCap(id, 1);
    if (below(random, 3) > 0) ledger.tryTake(id, 0 as WorkerId);
  }
}

function free(ledger: Ledger, id: BackendId): void {
  while (ledger.active(id) > 0) ledger.giveBack(id, 0 as WorkerId);
}

function nameOf(selection: Selection): string | null {
  return selection.kind === 'chosen' ? selection.lease.backend.name : null;
}

function whyOf(selection: Selection): string {
  return selection.kind === 'none' ? selection.reason : selection.kind;
}
