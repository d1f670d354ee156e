/** Load, as every policy that looks at sessions compares it, and how it reads in an explanation. */
import { present } from '../core/assert.js';
import type { Candidates, PolicyMember } from './policy.js';

/**
 * Sessions that `member` would have with this one, a unit of its effective weight. Counting the
 * session that is about to come makes idle backends differ by weight. Infinity for weight 0.
 */
export function loadOf(candidates: Candidates, member: number): number {
  return (candidates.activeOf(member) + 1) / candidates.weightOf(member);
}

/** The candidate for which `cost` is least; any of equals, so only for explanations. */
export function leastBy(candidates: Candidates, cost: (member: number) => number): number {
  let best = candidates.at(0);
  let least = cost(best);
  for (let position = 1; position < candidates.count; position++) {
    const member = candidates.at(position);
    const found = cost(member);
    if (found >= least) continue;
    best = member;
    least = found;
  }
  return best;
}

/** `pg1 (load 1.50: 2 active + 1 over weight 2)`. */
export function describeLoad(
  members: readonly PolicyMember[],
  candidates: Candidates,
  member: number,
): string {
  const active = candidates.activeOf(member);
  const weight = candidates.weightOf(member);
  const load = loadOf(candidates, member).toFixed(2);
  return `${nameOf(members, member)} (load ${load}: ${active} active + 1 over weight ${round(weight)})`;
}

export function nameOf(members: readonly PolicyMember[], member: number): string {
  return present(members[member], 'a candidate is one of the members').name;
}

/** At most two decimals, none where there is nothing to show. */
export function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
