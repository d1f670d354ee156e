/** What source-hash asks of Maglev and of the ring: a fixed home for every hash. */
import type { PolicyMember } from './policy.js';

export interface HashTable {
  /** The member index that `hash` (unsigned 32 bits) belongs to; -1 when no member has a weight. */
  home(hash: number): number;
}

/**
 * The members that hashing places: those with a weight, by name, so that the order in the file
 * moves no client. Eligibility has no part in it: a backend that is down keeps its place.
 */
export function placedMembers(members: readonly PolicyMember[]): readonly number[] {
  const nameAt = (index: number): string => members[index]?.name ?? '';
  return members
    .flatMap((member, index) => (member.weight > 0 ? [index] : []))
    .sort((a, b) => (nameAt(a) < nameAt(b) ? -1 : 1));
}
