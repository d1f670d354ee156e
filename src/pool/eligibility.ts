/**
 * What its row of the ledger says about one backend. Every verdict on a backend is made here, so
 * that a choice, an ejection, panic, the end of a flow and a page cannot differ about it; that on a
 * pool is made of these in standing.ts.
 */
import type { BackendId } from '../core/brand.js';
import type { Ineligible } from '../core/outcome.js';
import type { Proof } from '../core/proof.js';
import { CLOSED_BECAUSE } from './backend_rows.js';
import type { Ledger } from './ledger.js';

/** What runs on such a backend must go elsewhere, however its health is. */
const GONE = CLOSED_BECAUSE.removed | CLOSED_BECAUSE.expired;
/** A backend that must not get new sessions, however its health is. */
const OUT = GONE | CLOSED_BECAUSE.drained | CLOSED_BECAUSE.maintenance;

/**
 * Panic ignores what says "down" and "ejected"; it never ignores drains, weights, caps, another
 * role (writes to a replica are of no use), or that a backend has had no verdict yet (at start all
 * would be used before the first probe).
 */
export type Regard = 'health' | 'panic';

/**
 * Why `backend` gets no new session, or null when it is eligible. `tried`: in vain, by this
 * session.
 */
export function ineligible(
  ledger: Ledger,
  backend: BackendId,
  tried: readonly BackendId[] | null,
  regard: Regard,
): Ineligible | null {
  const closed = ledger.closed(backend);
  if ((closed & CLOSED_BECAUSE.maintenance) !== 0) return 'maintenance';
  if ((closed & OUT) !== 0) return 'drained';
  if (ledger.weight(backend) <= 0) return 'weight-0';
  const health = ledger.health(backend);
  if (health === 'unproven' || health === 'standby') return health;
  if (regard === 'health') {
    if (health === 'down') return 'down';
    if ((closed & CLOSED_BECAUSE.ejected) !== 0) return 'ejected';
  }
  // Before `full`: a place that becomes free at a tried backend is no place for this session.
  if (tried?.includes(backend)) return 'tried';
  return isFull(ledger, backend) ? 'full' : null;
}

/**
 * The same for a member of a plan. What the plan says to be out of the file is out from the moment
 * when the pool goes over to it; control marks the row only when all workers have done so.
 */
export function ineligibleMember(
  ledger: Ledger,
  { id, draining }: { readonly id: BackendId; readonly draining: boolean },
  tried: readonly BackendId[] | null,
  regard: Regard,
): Ineligible | null {
  return draining ? 'drained' : ineligible(ledger, id, tried, regard);
}

/** It serves, or would if it were not ejected, or had a place: up, not out, weight above 0. */
export function isUsable(ledger: Ledger, backend: BackendId): boolean {
  return (
    ledger.health(backend) === 'up' &&
    ledger.weight(backend) > 0 &&
    (ledger.closed(backend) & OUT) === 0
  );
}

/** What a backend counts for when it is asked whether panic rules. */
export type Wellness = 'well' | 'unwell' | 'unfit';

/**
 * One that has had no verdict yet counts as well, because nothing is known against it. Unfit: it
 * could not serve however few were well, because it is out, has no weight, or another role.
 */
export function wellnessOf(ledger: Ledger, backend: BackendId): Wellness {
  const health = ledger.health(backend);
  const closed = ledger.closed(backend);
  if ((closed & OUT) !== 0 || ledger.weight(backend) <= 0 || health === 'standby') return 'unfit';
  return health !== 'down' && closed === 0 ? 'well' : 'unwell';
}

/**
 * False when what runs on `backend` must go elsewhere: health declared it down or on standby, or it
 * was drained past its time or removed.
 */
export function mayStay(ledger: Ledger, backend: BackendId): boolean {
  const health = ledger.health(backend);
  return (ledger.closed(backend) & GONE) === 0 && health !== 'down' && health !== 'standby';
}

/** A session of `backend` may be open, of this process or of another one in front of it. */
export function mayHoldSessions(ledger: Ledger, backend: BackendId): boolean {
  return ledger.active(backend) > 0 || ledger.health(backend) !== 'down';
}

/** Its probes get the answer that they want of it or of one in another role. */
export function isAnswering(ledger: Ledger, backend: BackendId): boolean {
  const health = ledger.health(backend);
  return health === 'up' || health === 'standby';
}

/** What its probes say; `regard`: of its pool. In panic those that are down have sessions. */
export function proofOf(ledger: Ledger, backend: BackendId, regard: () => Regard): Proof {
  if (isUsable(ledger, backend)) return 'serves';
  const health = ledger.health(backend);
  if (health === 'unproven') return 'unproven';
  return health === 'down' && regard() === 'health' ? 'down' : 'answers';
}

/** How it is, for people: what counts most first, whatever weight it has. */
export type BackendCondition =
  | 'maintenance'
  | 'drained'
  | 'down'
  | 'standby'
  | 'ejected'
  | 'unproven'
  | 'full'
  | 'up';

export function conditionOf(ledger: Ledger, backend: BackendId): BackendCondition {
  const health = ledger.health(backend);
  const closed = ledger.closed(backend);
  if ((closed & CLOSED_BECAUSE.maintenance) !== 0) return 'maintenance';
  if ((closed & CLOSED_BECAUSE.drained) !== 0) return 'drained';
  if (health === 'down' || health === 'standby') return health;
  if ((closed & CLOSED_BECAUSE.ejected) !== 0) return 'ejected';
  if (health === 'unproven') return health;
  return isFull(ledger, backend) ? 'full' : 'up';
}

/** As many sessions as it may have. */
function isFull(ledger: Ledger, backend: BackendId): boolean {
  const cap = ledger.cap(backend);
  return cap !== 0 && ledger.active(backend) >= cap;
}
