/**
 * Who may be chosen, and if not, why not. The one place that turns ledger states into a reason; the
 * pool filters by it, and whoever explains a choice shows it.
 */
import type { BackendId } from '../core/brand.js';
import type { Ineligible } from '../core/outcome.js';
import { CLOSED_BECAUSE } from './backend_rows.js';
import type { Ledger } from './ledger.js';

/** A backend that must not serve any more, however its health is. */
export const GONE = CLOSED_BECAUSE.removed | CLOSED_BECAUSE.expired;

/**
 * Panic ignores what says "down" and "ejected"; it never ignores drains, weights, caps, another
 * role (writes to a replica help nobody), or that a backend has had no verdict yet (at start all
 * would be used before the first probe).
 */
export type Regard = 'health' | 'panic';

/** It serves, or would if it were not ejected: up, not gone, weight above 0. */
export function isUsable(ledger: Ledger, backend: BackendId): boolean {
  return (
    ledger.health(backend) === 'up' &&
    ledger.weight(backend) > 0 &&
    (ledger.closed(backend) & GONE) === 0
  );
}

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
  if ((closed & GONE) !== 0) return 'drained';
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

/** As many sessions as it may have. */
export function isFull(ledger: Ledger, backend: BackendId): boolean {
  const cap = ledger.cap(backend);
  return cap !== 0 && ledger.active(backend) >= cap;
}
