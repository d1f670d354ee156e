/** The policies of the configuration: what each one is made of, and what others ask about it. */
import { unreachable } from '../core/assert.js';
import { POLICY_NAMES, type PolicyName, type PolicySpec } from '../core/spec.js';
import { Adaptive } from './adaptive.js';
import { LeastConnections } from './least_connections.js';
import { LeastLatency } from './least_latency.js';
import { P2c } from './p2c.js';
import type { Policy, PolicyMember } from './policy.js';
import { RandomPolicy } from './random.js';
import { RoundRobin } from './round_robin.js';
import { SourceHash } from './source_hash.js';
import type { Turns } from './turns.js';

/** Policies that choose without regard to the client. */
export type KeylessName = Exclude<PolicyName, 'source-hash'>;
export const KEYLESS_NAMES: readonly KeylessName[] = POLICY_NAMES.filter(
  (name): name is KeylessName => name !== 'source-hash',
);

/** A policy for a pool's membership, as one worker uses it; others may take `turns` as well. */
export function createPolicy(
  spec: PolicySpec,
  members: readonly PolicyMember[],
  turns: Turns,
): Policy {
  switch (spec.name) {
    case 'p2c':
      return new P2c(members);
    case 'least-connections':
      return new LeastConnections(members);
    case 'source-hash':
      return new SourceHash(members, spec);
    case 'round-robin':
      return new RoundRobin(members, turns);
    case 'random':
      return new RandomPolicy(members);
    case 'least-latency':
      return new LeastLatency(members);
    case 'adaptive':
      return new Adaptive(members);
    default:
      return unreachable(spec);
  }
}

const AFFINITY: Readonly<Record<PolicyName, boolean>> = {
  p2c: false,
  'least-connections': false,
  'source-hash': true,
  'round-robin': false,
  random: false,
  'least-latency': false,
  adaptive: false,
};

/** Whether a client that connects again comes back to the same backend. */
export function hasAffinity({ name }: PolicySpec): boolean {
  return AFFINITY[name];
}
