/** The policies by their name in the configuration. */
import type { PolicyName } from '../core/spec.js';
import { Adaptive } from './adaptive.js';
import { LeastConnections } from './least_connections.js';
import { LeastLatency } from './least_latency.js';
import { P2c } from './p2c.js';
import type { Member, Policy, PolicyFactory, PolicyOptions } from './policy.js';
import { RandomPolicy } from './random.js';
import { RoundRobin } from './round_robin.js';
import { SourceHash } from './source_hash.js';

const FACTORIES: Readonly<Record<PolicyName, PolicyFactory>> = {
  p2c: (members) => new P2c(members),
  'least-connections': (members) => new LeastConnections(members),
  'round-robin': (members, { turns }) => new RoundRobin(members, turns),
  random: (members) => new RandomPolicy(members),
  'least-latency': (members) => new LeastLatency(members),
  adaptive: (members) => new Adaptive(members),
  'source-hash': (members, options) => new SourceHash(members, options.hash),
};

/** A policy for a pool's membership, as one worker uses it. */
export function createPolicy(
  name: PolicyName,
  members: readonly Member[],
  options: PolicyOptions,
): Policy {
  return FACTORIES[name](members, options);
}
