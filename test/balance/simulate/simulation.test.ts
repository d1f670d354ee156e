import t from 'tap';
import type { Scenario } from '../../../src/balance/simulate/scenario.js';
import { runSimulation } from '../../../src/balance/simulate/simulation.js';
import type { SimulatedTally } from '../../../src/balance/simulate/tally.js';
import { seededRandom } from '../../../src/core/random.js';
import type { PolicyName } from '../../../src/core/spec.js';
import { barePolicy } from '../situation.js';
import { arrivalsAt, scenarioOf } from './scenario.js';

function run(changes: Partial<Scenario>, policy: PolicyName = 'least-connections'): SimulatedTally {
  const scenario = scenarioOf(changes);
  return runSimulation(scenario, barePolicy(policy, scenario.backends), seededRandom(1));
}

t.test('a session takes its work, and its wait for those before it', async (t) => {
  // Two are served at once, the third waits for the end of one.
  const tally = run({ arrivals: arrivalsAt([0, 10], [0, 10], [4, 10]) });
  t.same(tally.quantilesMs([0, 0.5, 1]), [10, 10, 16]);
});

t.test('a faster backend serves faster', async (t) => {
  const backends = [{ name: 'b0', weight: 1, speed: 4, maxConnections: 0 }];
  t.equal(run({ backends, arrivals: arrivalsAt([0, 10]) }).meanMs, 2.5);
});

t.test(
  'a dead backend is tried in vain until health notices, and the session goes elsewhere',
  async (t) => {
    const troubles = [{ kind: 'down', backend: 0, fromMs: 0, toMs: 1000 }] as const;
    const before = Array.from({ length: 9 }, (_, i) => [10 * i, 1] as const);
    const after = Array.from({ length: 9 }, (_, i) => [200 + 10 * i, 1] as const);
    const early = run({ troubles, arrivals: arrivalsAt(...before) });
    t.equal(early.served, 9);
    t.ok(early.failedDials >= 8, `it looks idle to each session: ${early.failedDials} dials`);
    const late = run({ troubles, arrivals: arrivalsAt(...after) });
    t.equal(late.served, 9);
    t.equal(late.failedDials, 0);
  },
);

t.test('without retries a session that meets a dead backend is refused', async (t) => {
  const tally = run({
    backends: [{ name: 'b0', weight: 1, speed: 1, maxConnections: 0 }],
    troubles: [{ kind: 'down', backend: 0, fromMs: 0, toMs: 1000 }],
    retries: 0,
    arrivals: arrivalsAt([1, 1], [50, 1]),
  });
  t.equal(tally.refused, 2);
  t.equal(tally.failedDials, 2);
});

t.test('a session on a backend that dies is lost, and its end does not come', async (t) => {
  const tally = run({
    backends: [{ name: 'b0', weight: 1, speed: 1, maxConnections: 0 }],
    troubles: [{ kind: 'down', backend: 0, fromMs: 5, toMs: 6 }],
    arrivals: arrivalsAt([0, 10], [1, 10], [300, 10]),
  });
  t.equal(tally.lost, 2);
  t.equal(tally.served, 1, 'the third one, after it came back');
});

t.test('a slow backend stretches what it begins to serve then', async (t) => {
  const tally = run({
    backends: [{ name: 'b0', weight: 1, speed: 1, maxConnections: 0 }],
    troubles: [{ kind: 'slow', backend: 0, fromMs: 5, toMs: 50, factor: 3 }],
    arrivals: arrivalsAt([0, 4], [10, 4], [60, 4]),
  });
  t.same(tally.quantilesMs([0, 0.5, 1]), [4, 4, 12]);
});

t.test('with every backend at its cap sessions are refused', async (t) => {
  const backends = [
    { name: 'b0', weight: 1, speed: 1, maxConnections: 1 },
    { name: 'b1', weight: 1, speed: 1, maxConnections: 2 },
  ];
  const tally = run({ backends, arrivals: arrivalsAt([0, 9], [0, 9], [0, 9], [0, 9], [50, 9]) });
  t.equal(tally.refused, 1);
  t.equal(tally.served, 4);
});

t.test('what comes in the warm-up is not measured', async (t) => {
  const tally = run({ warmupMs: 5, arrivals: arrivalsAt([0, 1], [4, 1], [5, 3]) });
  t.equal(tally.served, 1);
  t.equal(tally.meanMs, 3);
});

t.test('least-latency learns which backend is slow', async (t) => {
  const backends = [
    { name: 'slow', weight: 1, speed: 0.01, maxConnections: 0 },
    { name: 'quick', weight: 1, speed: 1, maxConnections: 0 },
  ];
  const sessions = Array.from({ length: 200 }, (_, i) => [10 * i, 4] as const);
  const arrivals = arrivalsAt(...sessions);
  const blind = run({ backends, arrivals, slots: 0 }, 'random');
  const learnt = run({ backends, arrivals, slots: 0 }, 'least-latency');
  const slowOnes = (tally: SimulatedTally): number =>
    tally.quantilesMs(Array.from({ length: 100 }, (_, i) => i / 100)).filter((ms) => ms > 100)
      .length;
  t.ok(slowOnes(blind) > 30, `${slowOnes(blind)} % at the slow one at random`);
  t.ok(slowOnes(learnt) < 10, `${slowOnes(learnt)} % at the slow one by latency`);
});
