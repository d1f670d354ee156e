/**
 * What holds of the answers of every source, whatever it is: an address counts once, and a source
 * on another machine names no files of this one. Pure.
 */
import type { SourceKind } from '../core/discovery_spec.js';
import { formatAddress } from '../core/endpoint.js';
import { sameValue } from '../core/same_value.js';
import type { Member, Source, SourceAnswer } from './source.js';

/** `source` of this kind, with answers that have been looked through. */
export function vettedSource(kind: SourceKind, source: Source): Source {
  return { ask: async (giveUp) => vetted(kind, await source.ask(giveUp)) };
}

export function vetted(kind: SourceKind, answer: SourceAnswer): SourceAnswer {
  if (answer.kind !== 'members') return answer;
  const local = kind === 'file' ? [] : answer.members.filter(isSocket);
  const fit = local.length === 0 ? answer.members : answer.members.filter((one) => !isSocket(one));
  const { members, twins } = once(fit);
  if (local.length === 0 && members.length === fit.length) return answer;
  const leftOut = [
    ...answer.leftOut,
    ...local.map(({ address }) => `${formatAddress(address)}: only a file may name UNIX sockets`),
    ...twins,
  ];
  return { ...answer, members, leftOut };
}

function isSocket({ address }: Member): boolean {
  return address.kind === 'unix';
}

interface Once {
  readonly members: readonly Member[];
  readonly twins: readonly string[];
}

/** Of several with one address the first counts; duplicates are not worth a report. */
function once(members: readonly Member[]): Once {
  const first = new Map<string, Member>();
  const unlike = new Map<string, number>();
  for (const member of members) {
    const address = formatAddress(member.address);
    const known = first.get(address);
    if (known === undefined) first.set(address, member);
    else if (!sameValue(known, member)) unlike.set(address, 1 + (unlike.get(address) ?? 0));
  }
  const twins = [...unlike].map(([address, more]) => {
    const times = more === 1 ? 'once more' : `${more} more times`;
    return `${address} is named ${times}, with other values: the first counts`;
  });
  return { members: [...first.values()], twins };
}
