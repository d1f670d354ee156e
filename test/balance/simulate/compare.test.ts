import t from 'tap';
import { drawArrivals } from '../../../src/balance/simulate/arrivals.js';
import { comparePolicies } from '../../../src/balance/simulate/compare.js';
import { seededRandom } from '../../../src/core/random.js';
import { POLICY_NAMES } from '../../../src/core/spec.js';
import { policyNamed } from '../../support/policies.js';
import { seed } from '../../support/seed.js';
import { equalMembers } from '../situation.js';
import { scenarioOf } from './scenario.js';

const POLICIES = POLICY_NAMES.map((name) => policyNamed(name, { tableSize: 1021 }));

function scenario() {
  return scenarioOf({
    backends: equalMembers(8).map((member) => ({ ...member, speed: 1, maxConnections: 0 })),
    arrivals: drawArrivals(
      { ratePerSecond: 1000, durationMs: 10_000, work: 'exponential', meanWorkMs: 6, clients: 500 },
      seededRandom(seed),
    ),
  });
}

t.test(
  `each policy meets the same sessions, and the better ones wait less (SEED=${seed})`,
  async (t) => {
    const reports = comparePolicies(scenario(), POLICIES, seed);
    t.same(
      reports.map((report) => report.policy),
      POLICY_NAMES,
    );
    t.equal(new Set(reports.map((report) => report.sessions)).size, 1);
    const [p2c, leastConnections] = reports;
    const random = reports.find((report) => report.policy === 'random');
    if (!p2c || !leastConnections || !random) throw new Error('all policies are compared');
    t.ok(leastConnections.p99Ms < p2c.p99Ms, 'least-connections before p2c');
    t.ok(p2c.p99Ms < random.p99Ms, 'p2c before random');
    t.ok(leastConnections.imbalance < p2c.imbalance && p2c.imbalance < random.imbalance);
  },
);

t.test('the same seed gives the same report', async (t) => {
  t.same(
    comparePolicies(scenario(), [{ name: 'p2c' }, { name: 'adaptive' }], 5),
    comparePolicies(scenario(), [{ name: 'p2c' }, { name: 'adaptive' }], 5),
  );
});
