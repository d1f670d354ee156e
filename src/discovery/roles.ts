/** Answers of sources that know roles: who has the wanted one, and who is known in another. */
import type { SourceRole } from '../core/discovery_spec.js';
import type { Address } from '../core/endpoint.js';
import { type Member, type Members, plainMember } from './source.js';

export interface RoledMember {
  readonly name: string | null;
  readonly address: Address;
  readonly role: 'primary' | 'replica';
  /** `away`: the source knows it, and would not send anybody there. */
  readonly presence: 'here' | 'away';
}

/** Who is away is not named; who is here in another role leaves at once. */
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
    againMs,
  };
}

function memberOf({ name, address, role }: RoledMember): Member {
  return { ...plainMember(address), name, role };
}
