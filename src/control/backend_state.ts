/** The state of a backend for people, from what the ledger and its probes say, and why. */

import { unreachable } from '../core/assert.js';
import type { BackendState } from '../core/backend_states.js';
import type { Ineligible } from '../core/outcome.js';
import type { PoolSpec } from '../core/spec.js';
import { conditionOf } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import type { Standing } from '../pool/standing.js';
import type { BackendEntry } from './inventory.js';

/** `share`: of its weight that its probes ask for. */
export function stateOf(entry: BackendEntry, ledger: Ledger, share: number): BackendState {
  if (entry.tenure === 'leaving') return 'leaving';
  const condition = conditionOf(ledger, entry.id);
  return condition === 'up' && share < 1 ? 'degraded' : condition;
}

/** What a reason is made of. */
export interface BackendSituation {
  readonly state: BackendState;
  /** Why it gets no session now; null: it does. */
  readonly cause: Ineligible | null;
  readonly serves: Standing['serves'];
  /** Whether it is a backup, and which backups of its pool serve. */
  readonly backup: 'no' | PoolSpec['backups'];
  /** What only some states ask for, and takes longer than all else. */
  readonly evidence: BackendEvidence;
}

export interface BackendEvidence {
  /** Of its weight that its probes ask for. */
  share(): number;
  /** What its probes said last, when the verdict changed; may be ''. */
  verdictDetail(): string;
  /** Why real traffic has taken it out; of no meaning in other states. */
  ejection(): string;
}

/** Sentences without full stops; '' where the state says all. */
export function reasonOf(situation: BackendSituation): string {
  const [first, second] = [stateReason(situation), causeReason(situation)];
  if (first === '') return second;
  return second === '' ? first : `${first}; ${second}`;
}

function stateReason({ state, evidence }: BackendSituation): string {
  switch (state) {
    case 'up':
    case 'drained':
    case 'maintenance':
      return '';
    case 'leaving':
      return 'no longer in the file; its sessions may finish';
    case 'unresolved':
      return 'its name has no address';
    case 'down':
      return evidence.verdictDetail() || 'its probes fail';
    case 'standby':
      return `well, but in another role: ${evidence.verdictDetail()}`;
    case 'ejected':
      return evidence.ejection();
    case 'unproven':
      return 'no probe has succeeded yet';
    case 'full':
      return 'as many sessions as it may have';
    case 'degraded':
      return `its probes ask for ${Math.round(evidence.share() * 100)} % of its weight`;
    default:
      return unreachable(state);
  }
}

function causeReason({ state, cause, serves, backup }: BackendSituation): string {
  if (state === 'leaving') return '';
  if (cause === 'weight-0') return 'its weight is 0: it gets no new sessions';
  if (cause === 'backup' && backup === 'first') {
    return 'a backup: used when no other, and no backup before it, is eligible';
  }
  if (cause === 'backup') return 'a backup: used when no other is eligible';
  if (cause !== null) return '';
  if (serves === 'backup' && backup === 'first') {
    return 'a backup: it serves alone, because none before it is eligible';
  }
  if (serves === 'backup' && backup === 'all') {
    return 'a backup: it serves, because no other is eligible';
  }
  const unwell = state === 'down' || state === 'ejected';
  return serves === 'all' && unwell ? 'used all the same: too few of its pool are well' : '';
}
