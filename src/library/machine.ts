/** What a balancer takes from the machine; tests pass their own. */
import type { Clock, Timers } from '../core/clock.js';
import type { ProbeSpec } from '../core/health_spec.js';
import type { Random } from '../core/random.js';
import type { Probe } from '../health/probe.js';
import { createProbe } from '../health/probes/registry.js';
import { type HostLookup, lookupHost } from '../names/host_lookup.js';
import { systemClock } from '../system/clock.js';
import { nonce } from '../system/nonce.js';
import { systemRandom } from '../system/random.js';
import { holdingTimers, systemTimers } from '../system/timers.js';

export interface Machine {
  readonly clock: Clock;
  /** None of them keeps the process alive. */
  readonly timers: Timers;
  /** For what a caller waits for: the process does not end meanwhile. */
  readonly waits: Timers;
  readonly random: Random;
  readonly lookup: HostLookup;
  readonly createProbe: (spec: ProbeSpec) => Probe;
}

const probeDeps = { clock: systemClock, timers: systemTimers, random: systemRandom, nonce };

export const thisMachine: Machine = {
  clock: systemClock,
  timers: systemTimers,
  waits: holdingTimers,
  random: systemRandom,
  lookup: lookupHost,
  createProbe: (spec) => createProbe(spec, probeDeps),
};
