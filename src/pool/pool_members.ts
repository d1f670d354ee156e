/** A pool's members: as its policy and its worker have them, by the plan. */
import type { Member } from '../balance/policy.js';
import { formatAddress } from '../core/endpoint.js';
import type { PoolPlan } from '../core/plan.js';
import { Learnt } from './learnt.js';
import { PlannedBackend } from './planned_backend.js';

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

/**
 * The plan's backends. Those that stay keep what was learnt about them, and are the same object if
 * the plan says the same about them at the same place.
 */
export function adopted(
  plan: PoolPlan,
  before: readonly PlannedBackend[],
  known: Learnt,
): { readonly members: readonly PlannedBackend[]; readonly learnt: Learnt } {
  const indices = new Map(before.map(({ id }, index) => [id, index]));
  const learnt = new Learnt(plan.backends.length);
  const members = plan.backends.map((backend, index) => {
    const at = indices.get(backend.id) ?? -1;
    const same = before[at];
    // A row may have become another backend's: what was learnt goes with the address.
    if (same === undefined || !same.isAt(backend)) return new PlannedBackend(backend);
    learnt.adopt(index, known, at);
    return same.sameAs(backend) && at === index ? same : new PlannedBackend(backend);
  });
  return { members, learnt };
}
