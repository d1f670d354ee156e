/**
 * A pool that lives through any changes chooses as one that looks at every member at each choice.
 */
import t from 'tap';
import type { BackendId, PoolId, WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { BackendPlan, PoolPlan } from '../../src/core/plan.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { POLICY_NAMES, type PolicyName } from '../../src/core/spec.js';
import { ineligible } from '../../src/pool/eligibility.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { Pool } from '../../src/pool/pool.js';
import { regardOf, standingOf, whyNoBackend } from '../../src/pool/standing.js';
import { poolSettings } from '../support/changed.js';
import { FakeTime } from '../support/fake_time.js';
import { policyNamed } from '../support/policies.js';
import { seed } from '../support/seed.js';

const ROWS = 9;
const STEPS = 1500;
const HEALTH = ['unproven', 'up', 'up', 'up', 'down', 'standby'] as const;
const OTHER = 1 as WorkerId;

class Life {
  readonly #random: Random;
  readonly #ledger = new Ledger(createLedgerMemory());
  readonly #pool: Pool;
  #plan: PoolPlan;

  constructor(policy: PolicyName, random: Random) {
    this.#random = random;
    for (let row = 0; row < ROWS; row++) this.#ledger.setWeight(row as BackendId, 1);
    this.#plan = planOf(policy, random);
    this.#pool = new Pool(this.#plan, {
      ledger: this.#ledger,
      worker: 0 as WorkerId,
      clock: new FakeTime(),
      random,
      freed: () => {},
      ejected: () => {},
    });
  }

  /** Something happens to one row, or to the plan, at another thread. */
  change(): void {
    const ledger = this.#ledger;
    const random = this.#random;
    const id = below(random, ROWS) as BackendId;
    switch (below(random, 12)) {
      case 0:
      case 1:
        return ledger.setHealth(id, HEALTH[below(random, HEALTH.length)] ?? 'up');
      case 2:
        return ledger.setWeight(id, below(random, 4) === 0 ? 0 : 1 + below(random, 3) / 2);
      case 3:
        return ledger.setCap(id, below(random, 3));
      case 4:
        return ledger.setClosed(
          id,
          (['ejected', 'removed', 'expired'] as const)[below(random, 3)] ?? 'ejected',
        );
      case 5:
        ledger.clearClosed(id, 'removed');
        ledger.clearClosed(id, 'expired');
        return;
      case 6:
        return ledger.clearClosed(id, 'ejected');
      case 7:
      case 8:
        ledger.tryTake(id, OTHER);
        return;
      case 9:
        if (ledger.activeIn(OTHER, id) > 0) ledger.giveBack(id, OTHER);
        return;
      case 10:
        if (below(random, 10) === 0) ledger.forgetWorker(OTHER);
        return;
      default:
        if (below(random, 5) > 0) return;
        this.#plan = planOf(this.#plan.settings.policy.name, random);
        return this.#pool.update(this.#plan);
    }
  }

  /** null, or what was wrong with the choice. */
  choose(met: Set<string>): string | null {
    const ledger = this.#ledger;
    const random = this.#random;
    const members = this.#plan.backends;
    const { panicPercent } = this.#plan.settings;
    const staying = members.filter(({ yielding }) => !yielding);
    const tried =
      below(random, 3) > 0 ? null : [0, 1, 2].map(() => below(random, ROWS) as BackendId);
    const regard = regardOf(ledger, members, panicPercent);
    const able = staying.filter(({ id }) => ineligible(ledger, id, tried, regard) === null);
    const lowest = Math.min(...able.map(({ rank }) => rank));
    const inTurn = able.filter(({ rank }) => regard === 'panic' || rank === lowest);
    const allowed = inTurn.length === 0 ? undefined : inTurn;
    const why = whyNoBackend(ledger, staying, tried, regard);
    const waits = staying.length < members.length && why !== 'all-full';
    const whyNone = waits ? 'unproven' : why;
    const loads = new Map(members.map(({ id }) => [id, this.#loadOf(id)]));
    const selection = this.#pool.select({
      clientKey: Uint8Array.of(10, 0, 0, below(random, 99)),
      tried,
    });
    if (regard === 'panic') met.add('panic');
    met.add(selection.kind === 'none' ? selection.reason : selection.kind);
    if (selection.kind !== 'chosen') {
      const told = selection.kind === 'none' ? selection.reason : selection.kind;
      if (allowed !== undefined) return `${told}, but ${allowed.map(({ id }) => id)} would do`;
      return told === whyNone ? this.#explained() : `${told} instead of ${whyNone}`;
    }
    const { id } = selection.lease.backend;
    selection.lease.settle('neutral');
    if (!allowed?.some((each) => each.id === id))
      return `${id} of ${allowed?.map((each) => each.id)}`;
    if (this.#plan.settings.policy.name !== 'least-connections') return this.#explained();
    const least = Math.min(...allowed.map((each) => loads.get(each.id) ?? 0));
    return loads.get(id) === least
      ? this.#explained()
      : `load ${loads.get(id)} instead of ${least}`;
  }

  /** The account for people is the same. */
  #explained(): string | null {
    if (this.#plan.backends.some(({ yielding }) => yielding)) return null;
    const { reasons } = standingOf(
      this.#ledger,
      this.#plan.backends,
      this.#plan.settings.panicPercent,
    );
    const { members } = this.#pool.explain(
      { clientKey: new Uint8Array(0), tried: null },
      seededRandom(1),
    );
    const differs = members.findIndex(({ reason }, index) => reason !== reasons[index]);
    return differs < 0 ? null : `${differs}: ${members[differs]?.reason} or ${reasons[differs]}`;
  }

  #loadOf(id: BackendId): number {
    return (this.#ledger.active(id) + 1) / this.#ledger.weight(id);
  }
}

/** Some of the rows in any order. */
function planOf(policy: PolicyName, random: Random): PoolPlan {
  const rows = Array.from({ length: ROWS }, (_, row) => ({ row, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, 2 + below(random, ROWS - 2));
  const yields = below(random, 4) === 0;
  const isOrdered = below(random, 2) === 0;
  return {
    id: 0 as PoolId,
    name: 'any',
    settings: poolSettings({
      policy: policyNamed(policy, { tableSize: 251 }),
      panicPercent: below(random, 2) === 0 ? 0 : below(random, 101),
    }),
    backends: rows.map(({ row }) => {
      const rank = below(random, 3) > 0 ? 0 : 1 + below(random, isOrdered ? 3 : 1);
      return { ...backendOf(row, random, yields), rank };
    }),
  };
}

function backendOf(row: number, random: Random, yields: boolean): BackendPlan {
  return {
    id: row as BackendId,
    name: `b${row}`,
    endpoint: ipEndpoint(4, `10.0.0.${row}`, 5432),
    weight: 1,
    rank: 0,
    draining: false,
    yielding: yields && below(random, 3) === 0,
  };
}

for (const policy of POLICY_NAMES) {
  t.test(`${policy}: any changes, and then a choice (SEED=${seed})`, async (t) => {
    const random = seededRandom(seed);
    const life = new Life(policy, random);
    const met = new Set<string>();
    for (let step = 0; step < STEPS; step++) {
      for (let changes = below(random, 4); changes > 0; changes--) life.change();
      const problem = life.choose(met);
      if (problem !== null) {
        t.fail(`step ${step}: ${problem}`);
        return;
      }
    }
    const reasons = ['all-down', 'all-full', 'chosen', 'no-backend', 'panic', 'unproven'];
    t.same([...met].sort(), reasons, 'everything was met');
  });
}
