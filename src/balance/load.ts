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

/**
 * How a draw of two came to `chosen`, where the candidates cost what `cost` says: the one that
 * costs least, unless several do, or this draw has not met it.
 */
export function leastTold(
  candidates: Candidates,
  cost: (member: number) => number,
  chosen: number,
  describe: (member: number) => string,
): string {
  const { count } = candidates;
  const least = leastBy(candidates, cost);
  let ties = 0;
  for (let position = 0; position < count; position++) {
    if (cost(candidates.at(position)) === cost(least)) ties++;
  }
  const hasLeast = cost(chosen) === cost(least);
  if (ties === 1 && hasLeast) return `the least is ${describe(least)}`;
  if (ties === 1) {
    return `the least is ${describe(least)}; this draw met ${describe(chosen)}, the next may differ`;
  }
  const tie = ties === count ? 'all of them tie' : `${ties} of them tie for the least`;
  return hasLeast
    ? `${tie}, and the draw takes ${describe(chosen)}, the next may differ`
    : `${tie}; this draw met ${describe(chosen)}, the next may differ`;
}

/** The sentence where there is nothing to compare, of every policy. */
export function onlyOne(described: string): string {
  return `${described} is the only eligible backend.`;
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
  return `${memberName(members, member)} (load ${load}: ${active} active + 1 over weight ${round(weight)})`;
}

export function memberName(members: readonly PolicyMember[], member: number): string {
  return present(members[member], 'a candidate is one of the members').name;
}

/** At most two decimals, none where there is nothing to show. */
export function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
