/**
 * The account of a pool's standing: which backends could serve, which are well, whether those are
 * so few that panic rules, which backends a choice looks at, and which reason a session without a
 * backend gets. Workers choose by these rules; control watches, answers /ready and shows pages by
 * the same ones.
 */
import type { BackendId } from '../core/brand.js';
import type { Ineligible } from '../core/outcome.js';
import { ineligible, type Regard, wellnessOf } from './eligibility.js';
import type { Ledger } from './ledger.js';

export interface StandingMember {
  readonly id: BackendId;
  /** 0: no backup; see `ranksOf`. */
  readonly rank: number;
}

/** The backends that a choice draws among. */
export type Tier = 'first' | 'backup' | 'all';

const IN_ORDER: readonly Tier[] = ['first', 'backup'];
const IN_PANIC: readonly Tier[] = ['all'];

/** Tiers in the order of a choice: the first one with an eligible backend counts. */
export function tiersOf(regard: Regard): readonly Tier[] {
  return regard === 'panic' ? IN_PANIC : IN_ORDER;
}

function inTier({ rank }: StandingMember, tier: Tier): boolean {
  return tier === 'all' || rank > 0 === (tier === 'backup');
}

/** The highest rank that a choice takes: of a tier its lowest one with an eligible backend. */
function rankServing(
  members: readonly StandingMember[],
  tier: Tier,
  isEligible: (index: number) => boolean,
): number | null {
  let lowest: number | null = null;
  for (let index = 0; index < members.length; index++) {
    const member = members[index];
    if (member === undefined || !inTier(member, tier) || !isEligible(index)) continue;
    if (tier === 'all') return Number.POSITIVE_INFINITY;
    // All of them have this rank.
    if (tier === 'first') return member.rank;
    if (lowest === null || member.rank < lowest) lowest = member.rank;
  }
  return lowest;
}

/** `panic` when fewer are well than `panicPercent` of those that could serve. */
export function regardBy(well: number, unwell: number, panicPercent: number): Regard {
  return well * 100 < panicPercent * (well + unwell) ? 'panic' : 'health';
}

export function regardOf(
  ledger: Ledger,
  members: readonly Pick<StandingMember, 'id'>[],
  panicPercent: number,
): Regard {
  if (panicPercent === 0) return 'health';
  let well = 0;
  let unwell = 0;
  for (const { id } of members) {
    const wellness = wellnessOf(ledger, id);
    if (wellness === 'well') well++;
    else if (wellness === 'unwell') unwell++;
  }
  return regardBy(well, unwell, panicPercent);
}

/** Why a choice found no backend: of all reasons the one that may pass soonest. */
export type NoBackend = 'all-full' | 'unproven' | 'all-down' | 'no-backend';

/** What a session may wait for at a backend that was not chosen: `place` is a free one. */
export type Hope = 'place' | 'unproven' | 'unwell' | 'none';

export function hopeOf(reason: Ineligible | null): Hope {
  // Without a reason: another worker has just taken its last place, or a place became free.
  if (reason === 'full' || reason === null) return 'place';
  if (reason === 'unproven') return 'unproven';
  const isOut = reason === 'drained' || reason === 'maintenance' || reason === 'weight-0';
  return isOut ? 'none' : 'unwell';
}

/** The reason, by how many backends give each hope. */
export function noBackendBy(hopes: Readonly<Record<Hope, number>>): NoBackend {
  if (hopes.place > 0) return 'all-full';
  if (hopes.unproven > 0) return 'unproven';
  return hopes.unwell > 0 ? 'all-down' : 'no-backend';
}

export function whyNoBackend(
  ledger: Ledger,
  members: readonly StandingMember[],
  tried: readonly BackendId[] | null,
  regard: Regard,
): NoBackend {
  const hopes = { place: 0, unproven: 0, unwell: 0, none: 0 };
  for (const { id } of members) hopes[hopeOf(ineligible(ledger, id, tried, regard))]++;
  return noBackendBy(hopes);
}

export interface Standing {
  readonly regard: Regard;
  /** The tier from which the next session gets its backend, or why it gets none. */
  readonly serves: Tier | NoBackend;
  /** The highest rank that serves, once it has a place; Infinity: every one. */
  readonly rank: number;
  /** In the order of the members; null: it may get the next session. */
  readonly reasons: readonly (Ineligible | null)[];
  /** How many may get the next session. */
  readonly eligible: number;
}

/** What a session that comes now, and has tried no backend, finds. */
export function standingOf(
  ledger: Ledger,
  members: readonly StandingMember[],
  panicPercent: number,
): Standing {
  const regard = regardOf(ledger, members, panicPercent);
  const own = members.map(({ id }) => ineligible(ledger, id, null, regard));
  for (const tier of tiersOf(regard)) {
    const rank = rankServing(members, tier, (index) => own[index] === null);
    if (rank === null) continue;
    const reasons = own.map((reason, index) => {
      const member = members[index];
      return reason ?? (member !== undefined && member.rank <= rank ? null : 'backup');
    });
    let eligible = 0;
    for (const reason of reasons) if (reason === null) eligible++;
    return { regard, serves: tier, rank, reasons, eligible };
  }
  const serves = whyNoBackend(ledger, members, null, regard);
  return { regard, serves, rank: Number.POSITIVE_INFINITY, reasons: own, eligible: 0 };
}

/** Whether a session that comes now is served at once, or would be but for the caps. */
export function canServe({ serves }: Standing): boolean {
  return serves === 'all-full' || isTier(serves);
}

function isTier(serves: Standing['serves']): serves is Tier {
  return serves === 'first' || serves === 'backup' || serves === 'all';
}
