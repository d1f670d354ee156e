/** What is learnt about a member belongs to its name and survives a change of the membership. */
import type { PolicyMember } from './policy.js';

/**
 * The values of `next`'s members, in their order: `values` (in the order of `previous`) for those
 * that stay, `fresh` for those that are new.
 */
export function carryByName(
  previous: readonly PolicyMember[],
  values: Float64Array,
  next: readonly PolicyMember[],
  fresh: number,
): Float64Array {
  const known = new Map(previous.map((member, index) => [member.name, values[index] ?? fresh]));
  return Float64Array.from(next, (member) => known.get(member.name) ?? fresh);
}
