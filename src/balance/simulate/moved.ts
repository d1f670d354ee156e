/** How many clients a change of the membership moves, for policies that look at the client. */
import type { Random } from '../../core/random.js';
import type { HashSpec, PolicyName } from '../../core/spec.js';
import type { Member } from '../policy.js';
import { createPolicy } from '../registry.js';
import { OwnTurns } from '../turns.js';
import { numberedClient } from './arrivals.js';

const CLIENTS = 10_000;

/**
 * The share of clients of the other backends that go elsewhere after `members[leaving]` was
 * taken out of the pool; null for policies to which all clients are alike. Nobody has sessions, so
 * bounded load moves nobody.
 */
export function movedShare(
  name: PolicyName,
  members: readonly Member[],
  leaving: number,
  hash: HashSpec,
  random: Random,
): number | null {
  const rest = members.filter((_, index) => index !== leaving);
  const policy = createPolicy(name, members, { hash, turns: new OwnTurns() });
  if (!policy.needs.clientKey || !rest.some((member) => member.weight > 0)) return null;
  const homesIn = (membership: readonly Member[]): (string | undefined)[] => {
    policy.update(membership);
    const idle = idlePool(membership);
    return Array.from({ length: CLIENTS }, (_, client) => {
      const chosen = policy.choose({ ...idle, clientKey: numberedClient(client) }, random);
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

function idlePool(members: readonly Member[]) {
  const eligible = members.flatMap((member, index) => (member.weight > 0 ? [index] : []));
  return {
    eligible: Int32Array.from(eligible),
    eligibleCount: eligible.length,
    active: new Int32Array(members.length),
    weight: Float64Array.from(members, (member) => member.weight),
    latencyMs: new Float64Array(members.length),
    failureRate: new Float64Array(members.length),
  };
}
