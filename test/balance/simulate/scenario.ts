/** Small scenarios with sessions at given times. */
import type { Arrivals } from '../../../src/balance/simulate/arrivals.js';
import type { Scenario } from '../../../src/balance/simulate/scenario.js';

/** Sessions as [at, work], all of one client. */
export function arrivalsAt(...sessions: readonly (readonly [number, number])[]): Arrivals {
  return {
    count: sessions.length,
    atMs: Float64Array.from(sessions, ([atMs]) => atMs),
    workMs: Float64Array.from(sessions, ([, workMs]) => workMs),
    client: new Uint32Array(sessions.length),
    clients: [Uint8Array.of(192, 0, 2, 1)],
  };
}

/** Two equal backends that serve one session at a time. */
export function scenarioOf(changes: Partial<Scenario>): Scenario {
  const equal = { weight: 1, speed: 1, maxConnections: 0 };
  return {
    backends: [
      { name: 'b0', ...equal },
      { name: 'b1', ...equal },
    ],
    arrivals: arrivalsAt(),
    slots: 1,
    troubles: [],
    detectMs: 100,
    retries: 2,
    warmupMs: 0,
    ...changes,
  };
}
