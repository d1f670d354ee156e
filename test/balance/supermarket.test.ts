/**
 * The quality of p2c and of random against theory, in a simulation of many equal single servers
 * with exponential service times. With d = 2 choices the mean time in the system tends to Σ λ^(2^i
 * - 2), i from 1, as the number of servers grows; with one choice it is 1 / (1 - λ). M.
 * Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001,
 * section 2 (the supermarket model and its fixed point).
 */
import t from 'tap';
import { drawArrivals } from '../../src/balance/simulate/arrivals.js';
import type { Scenario } from '../../src/balance/simulate/scenario.js';
import { runSimulation } from '../../src/balance/simulate/simulation.js';
import type { SimulatedTally } from '../../src/balance/simulate/tally.js';
import { seededRandom } from '../../src/core/random.js';
import type { PolicyName } from '../../src/core/spec.js';
import { seed } from '../support/seed.js';
import { barePolicy, equalMembers } from './situation.js';

const SERVERS = 500;

interface Run {
  readonly tally: SimulatedTally;
  /** The load that was drawn: close to the one asked for, and the wait depends on it steeply. */
  readonly offered: number;
}

function run(policy: PolicyName, load: number, durationMs: number): Run {
  const random = seededRandom(seed);
  const members = equalMembers(SERVERS);
  const scenario: Scenario = {
    backends: members.map((member) => ({ ...member, speed: 1, maxConnections: 0 })),
    arrivals: drawArrivals(
      {
        // Work of 1 ms on average, so that times are in units of the mean service time.
        ratePerSecond: 1000 * SERVERS * load,
        durationMs,
        work: 'exponential',
        meanWorkMs: 1,
        clients: 1,
      },
      random,
    ),
    slots: 1,
    troubles: [],
    detectMs: 0,
    retries: 0,
    warmupMs: durationMs / 4,
  };
  const work = scenario.arrivals.workMs.reduce((sum, workMs) => sum + workMs, 0);
  return {
    tally: runSimulation(scenario, barePolicy(policy, members), random),
    offered: work / (SERVERS * durationMs),
  };
}

function fixedPoint(load: number): number {
  let sum = 0;
  for (let i = 1; i <= 20; i++) sum += load ** (2 ** i - 2);
  return sum;
}

t.test(`p2c queues as the supermarket model says (SEED=${seed})`, async (t) => {
  t.equal(fixedPoint(0.9).toFixed(3), '2.614');
  t.equal(fixedPoint(0.95).toFixed(3), '3.383');
  for (const [load, durationMs, tolerance] of [
    [0.9, 800, 0.03],
    [0.95, 1500, 0.05],
  ] as const) {
    const { tally, offered } = run('p2c', load, durationMs);
    const expected = fixedPoint(offered);
    t.ok(
      Math.abs(tally.meanMs / expected - 1) < tolerance,
      `load ${offered.toFixed(4)}: ${tally.meanMs.toFixed(3)} against ${expected.toFixed(3)}`,
    );
  }
});

t.test(`random queues as single servers do (SEED=${seed})`, async (t) => {
  const { tally, offered } = run('random', 0.8, 400);
  const expected = 1 / (1 - offered);
  t.ok(
    Math.abs(tally.meanMs / expected - 1) < 0.08,
    `load ${offered.toFixed(4)}: ${tally.meanMs.toFixed(2)} against ${expected.toFixed(2)}`,
  );
});

t.test(`the full scan of least-connections waits even less than p2c (SEED=${seed})`, async (t) => {
  const p2c = run('p2c', 0.9, 100).tally.meanMs;
  const leastConnections = run('least-connections', 0.9, 100).tally.meanMs;
  t.ok(leastConnections < p2c, `${leastConnections.toFixed(2)} against ${p2c.toFixed(2)}`);
  t.ok(leastConnections < 1.2, 'with 500 servers hardly any client waits');
});
