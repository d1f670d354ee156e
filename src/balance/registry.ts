/** The policies by their name in the configuration. */
import type { PolicyName } from '../core/spec.js';
import { LeastConnections } from './least_connections.js';
import { P2c } from './p2c.js';
import type { Member, Policy, PolicyFactory, PolicyOptions } from './policy.js';
import { RandomPolicy } from './random.js';
import { RoundRobin } from './round_robin.js';

const FACTORIES: Readonly<Record<PolicyName, PolicyFactory>> = {
  p2c: (members) => new P2c(members),
  'least-connections': (members) => new LeastConnections(members),
  'round-robin': (members) => new RoundRobin(members),
  random: () => new RandomPolicy(),
  'source-hash': (members) => new P2c(members),
  'least-latency': (members) => new P2c(members),
  adaptive: (members) => new P2c(members),
};

/** A policy for a pool's membership, as one worker uses it. */
export function createPolicy(
  name: PolicyName,
  members: readonly Member[],
  options: PolicyOptions,
): Policy {
  return FACTORIES[name](members, options);
}
