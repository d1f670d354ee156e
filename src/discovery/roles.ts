/**
 * Answers of sources that know roles: which members have the wanted one, and which are known in
 * another.
 */
import type { SourceRole } from '../core/discovery_spec.js';
import { type Address, formatAddress } from '../core/endpoint.js';
import { memberKey } from './member_sets.js';
import { type Member, type Members, plainMember } from './source.js';

export interface RoledMember {
  readonly name: string | null;
  readonly address: Address;
  readonly role: 'primary' | 'replica';
  /** `away`: the source knows it, and would not send clients there. */
  readonly presence: 'here' | 'away';
}

/** A member that is away is not named; one that is here in another role leaves at once. */
export function byRole(
  all: readonly RoledMember[],
  wanted: SourceRole,
  againMs: number,
  leftOut: readonly string[] = [],
): Members {
  const here = all.filter(({ presence }) => presence === 'here');
  const isWanted = ({ role }: RoledMember): boolean => wanted === 'any' || role === wanted;
  return {
    kind: 'members',
    members: here.filter(isWanted).map(memberOf),
    elsewhere: here.filter((one) => !isWanted(one)).map(({ address }) => address),
    leftOut,
    remarks: [],
    againMs,
  };
}

function memberOf({ name, address, role }: RoledMember): Member {
  return { ...plainMember(address), name, role };
}

/** What an answer says of roles, by the keys of members. */
export interface Roles {
  /** Known in another role than the one that was asked for. */
  readonly elsewhere: ReadonlySet<string>;
  readonly primaries: ReadonlySet<string>;
  /** `known`: the source, not the probes, decides on roles. */
  readonly kind: 'known' | 'unknown';
}

export const NO_ROLES: Roles = { elsewhere: new Set(), primaries: new Set(), kind: 'unknown' };

export function rolesIn({ members, elsewhere }: Members): Roles {
  const primaries = members.filter(({ role }) => role === 'primary');
  const isKnown = elsewhere.length > 0 || members.some(({ role }) => role !== null);
  return {
    elsewhere: new Set(elsewhere.map(formatAddress)),
    primaries: new Set(primaries.map(memberKey)),
    kind: isKnown ? 'known' : 'unknown',
  };
}

/**
 * It has another role now, because the source says so, or because another member is the primary:
 * the source decides which one that is, and there is only one.
 */
export function isDemoted(member: Member, { elsewhere, primaries }: Roles): boolean {
  const key = memberKey(member);
  if (elsewhere.has(key)) return true;
  return member.role === 'primary' && primaries.size > 0 && !primaries.has(key);
}
