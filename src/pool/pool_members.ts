/** A pool's members: as its policy and its worker have them, by the plan. */
import type { PolicyMember } from '../balance/policy.js';
import type { BackendId } from '../core/brand.js';
import { type Endpoint, formatAddress } from '../core/endpoint.js';
import type { PoolPlan } from '../core/plan.js';
import { inStretches, type Stretches } from '../core/stretches.js';
import { Learnt } from './learnt.js';
import { MemberRows } from './member_rows.js';
import { PlannedBackend } from './planned_backend.js';

/**
 * The policy's members, in the plan's order. One that left the file has no weight any more, so that
 * its share of a hash table is given away at once, and a name of its own, because a backend with a
 * changed address leaves and arrives under one name.
 */
export function membersOf(plan: PoolPlan): PolicyMember[] {
  return plan.backends.map(({ name, weight, draining, endpoint }) =>
    draining ? { name: `${name}@${formatAddress(endpoint)}`, weight: 0 } : { name, weight },
  );
}

/** A plan's backends, and by member which of those before it is (-1: none). */
export interface Successors {
  readonly members: readonly PlannedBackend[];
  /** Their rows in the ledger. */
  readonly rows: MemberRows;
  readonly endpoints: readonly Endpoint[];
  readonly places: Int32Array;
  /** How many there were before. */
  readonly before: number;
}

/**
 * The plan's backends. Those that stay are the same object if the plan says the same about them at
 * the same place.
 */
export function* successors(
  plan: PoolPlan,
  before: readonly PlannedBackend[],
): Stretches<Successors> {
  const indices = new Map<BackendId, number>();
  // Mostly a plan has the same rows in the same order, and says something else of one of them.
  if (!plan.backends.every(({ id }, index) => before[index]?.id === id)) {
    yield* inStretches(before.length, (index) => {
      const id = before[index]?.id;
      if (id !== undefined) indices.set(id, index);
    });
  }
  const members: PlannedBackend[] = [];
  const endpoints: Endpoint[] = [];
  const rows = new Int32Array(plan.backends.length);
  const places = new Int32Array(plan.backends.length).fill(-1);
  yield* inStretches(plan.backends.length, (index) => {
    const backend = plan.backends[index];
    if (backend === undefined) return;
    const at = before[index]?.id === backend.id ? index : (indices.get(backend.id) ?? -1);
    const same = before[at];
    // A row may have become another backend's: what was learnt goes with the address.
    const stays = same?.isAt(backend) === true;
    if (stays) places[index] = at;
    const isSame = stays && at === index && same.sameAs(backend);
    const member = isSame ? same : new PlannedBackend(backend);
    members.push(member);
    endpoints.push(member.endpoint);
    rows[index] = backend.id;
  });
  return { members, rows: new MemberRows(rows), endpoints, places, before: before.length };
}

/** What was learnt about those that stay. */
export function carried({ places, before }: Successors, known: Learnt): Learnt {
  if (places.length === before && places.every((at, index) => at === index)) return known;
  const learnt = new Learnt(places.length);
  for (let index = 0; index < places.length; index++) {
    const at = places[index] ?? -1;
    if (at >= 0) learnt.adopt(index, known, at);
  }
  return learnt;
}
