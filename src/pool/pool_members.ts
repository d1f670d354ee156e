/** What a pool's policy is made of, as the plan has it. */
import type { Member } from '../balance/policy.js';
import { formatAddress } from '../core/endpoint.js';
import type { PoolPlan } from '../core/plan.js';

/**
 * The policy's members, in the plan's order. One that left the file has no weight any more, so that
 * its share of a hash table is given away at once, and a name of its own, because a backend with a
 * changed address leaves and arrives under one name.
 */
export function membersOf(plan: PoolPlan): Member[] {
  return plan.backends.map(({ name, weight, draining, endpoint }) =>
    draining ? { name: `${name}@${formatAddress(endpoint)}`, weight: 0 } : { name, weight },
  );
}

export function sameHash(a: PoolPlan, b: PoolPlan): boolean {
  return (
    a.hash.algorithm === b.hash.algorithm &&
    a.hash.ipv6PrefixBits === b.hash.ipv6PrefixBits &&
    a.hash.balanceFactor === b.hash.balanceFactor &&
    a.hash.tableSize === b.hash.tableSize
  );
}
