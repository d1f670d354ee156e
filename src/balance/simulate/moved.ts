/** How many clients a change of the membership moves, for policies that look at the client. */
import type { Random } from '../../core/random.js';
import type { PolicySpec } from '../../core/spec.js';
import { CandidateSet } from '../candidate_set.js';
import type { Figures, PolicyMember } from '../policy.js';
import { createPolicy, hasAffinity } from '../registry.js';
import { OwnTurns } from '../turns.js';
import { numberedClient } from './arrivals.js';

const CLIENTS = 10_000;

/**
 * The share of clients of the other backends that go elsewhere after `members[leaving]` was taken
 * out of the pool; null for policies to which all clients are alike. No backend has sessions, so
 * bounded load moves no client.
 */
export function movedShare(
  spec: PolicySpec,
  members: readonly PolicyMember[],
  leaving: number,
  random: Random,
): number | null {
  const rest = members.filter((_, index) => index !== leaving);
  if (!hasAffinity(spec) || !rest.some((member) => member.weight > 0)) return null;
  const policy = createPolicy(spec, members, new OwnTurns());
  const homesIn = (membership: readonly PolicyMember[]): (string | undefined)[] => {
    policy.update(membership);
    const candidates = new CandidateSet(membership.length, IDLE);
    for (const [member, { weight }] of membership.entries()) {
      if (weight > 0) candidates.put(member, weight);
    }
    candidates.chooseBy(policy);
    return Array.from({ length: CLIENTS }, (_, client) => {
      const chosen = candidates.choose(numberedClient(client), random);
      return membership[chosen]?.name;
    });
  };
  const before = homesIn(members);
  const after = homesIn(rest);
  const stayers = before.filter((home) => home !== members[leaving]?.name).length;
  const moved = before.filter(
    (home, client) => home !== members[leaving]?.name && home !== after[client],
  ).length;
  return stayers === 0 ? 0 : moved / stayers;
}

const IDLE: Figures = {
  nowMs: 0,
  activeOf: () => 0,
  latencyMsOf: () => 0,
  failureRateOf: () => 0,
};
