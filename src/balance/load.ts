/** Load, as every policy that looks at sessions compares it, and how it reads in an explanation. */
import { present } from '../core/assert.js';
import type { Choice, Member } from './policy.js';

/**
 * Sessions that `member` would have with this one, a unit of its effective weight. Counting the
 * session that is about to come makes idle backends differ by weight. Infinity for weight 0.
 */
export function loadOf(choice: Choice, member: number): number {
  return ((choice.active[member] ?? 0) + 1) / (choice.weight[member] ?? 0);
}

/** The member index at `position` of the eligible ones. */
export function eligibleAt(choice: Choice, position: number): number {
  return present(
    choice.eligible[position],
    'a position is below eligibleCount, which is 1 or more',
  );
}

/** The eligible member for which `cost` is least; the first of equals, so only for explanations. */
export function leastBy(choice: Choice, cost: (member: number) => number): number {
  let best = eligibleAt(choice, 0);
  for (let position = 1; position < choice.eligibleCount; position++) {
    const member = eligibleAt(choice, position);
    if (cost(member) < cost(best)) best = member;
  }
  return best;
}

/** `pg1 (load 1.50: 2 active + 1 over weight 2)`. */
export function describeLoad(members: readonly Member[], choice: Choice, member: number): string {
  const active = choice.active[member] ?? 0;
  const weight = choice.weight[member] ?? 0;
  const load = loadOf(choice, member).toFixed(2);
  return `${nameOf(members, member)} (load ${load}: ${active} active + 1 over weight ${round(weight)})`;
}

export function nameOf(members: readonly Member[], member: number): string {
  return present(members[member], 'an eligible index is one of a member').name;
}

/** At most two decimals, none where there is nothing to show. */
export function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
