/** Every policy through the same scenario: the same sessions, the same troubles, the same seed. */
import { seededRandom } from '../../core/random.js';
import type { PolicyName, PolicySpec } from '../../core/spec.js';
import { createPolicy } from '../registry.js';
import { OwnTurns } from '../turns.js';
import { movedShare } from './moved.js';
import type { Scenario } from './scenario.js';
import { runSimulation } from './simulation.js';

export interface PolicyReport {
  readonly policy: PolicyName;
  readonly sessions: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Greatest load a unit of weight over the mean one: 1 is perfectly even. */
  readonly imbalance: number;
  /** Share of the other backends' clients that move when a backend leaves; null: no affinity. */
  readonly movedShare: number | null;
  readonly refused: number;
  readonly failedDials: number;
  /** Sessions that died with their backend. */
  readonly lost: number;
}

/** Simulates `policies` one after the other. The backend that leaves is the first troubled one. */
export function comparePolicies(
  scenario: Scenario,
  policies: readonly PolicySpec[],
  seed: number,
): readonly PolicyReport[] {
  const { backends } = scenario;
  const leaving = scenario.troubles[0]?.backend ?? 0;
  return policies.map((policy) => {
    const random = seededRandom(seed);
    const tally = runSimulation(scenario, createPolicy(policy, backends, new OwnTurns()), random);
    const [p50Ms = 0, p99Ms = 0] = tally.quantilesMs([0.5, 0.99]);
    return {
      policy: policy.name,
      sessions: tally.served,
      meanMs: tally.meanMs,
      p50Ms,
      p99Ms,
      imbalance: tally.imbalance,
      movedShare: movedShare(policy, backends, leaving, random),
      refused: tally.refused,
      failedDials: tally.failedDials,
      lost: tally.lost,
    };
  });
}
