/** Members, and sets of them by their addresses. Pure. */
import { formatAddress } from '../core/endpoint.js';
import { sameValue } from '../core/same_value.js';
import type { Member } from './source.js';

/** Identity within a source: a member that comes back at the same address is not new. */
export function memberKey({ address }: Pick<Member, 'address'>): string {
  return formatAddress(address);
}

/** How logs call a member. */
export function loggedName(member: Member): string {
  return member.name ?? memberKey(member);
}

/** Whether two standing sets ask for the same; both are in the order of `byAddress`. */
export function sameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  return sameValue(a, b);
}

/** A member without a weight is never chosen: it does not count as one that serves. */
export function serves(member: Member | undefined): boolean {
  return member !== undefined && member.wanted === 'serve' && member.weight > 0;
}

/** Of two with one address the first counts. */
export function byKey(members: readonly Member[]): Map<string, Member> {
  const found = new Map<string, Member>();
  for (const member of members) {
    const key = memberKey(member);
    if (!found.has(key)) found.set(key, member);
  }
  return found;
}

/** Answers come in any order, and a set is no other because of it. */
export function byAddress(a: Member, b: Member): number {
  const [left, right] = [memberKey(a), memberKey(b)];
  return left < right ? -1 : Number(left > right);
}
