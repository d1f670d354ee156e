/**
 * What a worker does about a backend that fails: counts it in shared memory, and ejects the backend
 * in the same instant when that was one too many. Control learns of it afterwards.
 */
import { unreachable } from '../core/assert.js';
import type { BackendId } from '../core/brand.js';
import type { PoolPlan } from '../core/plan.js';
import { tryEject } from './ejecting.js';
import type { Ledger } from './ledger.js';
import type { Settlement } from './selection.js';

/** Whether a backend of the pool has ever answered. */
export type Answers = 'none yet' | 'seen';

/** 1 = the backend failed, 0 = it served, null = nothing was learnt. */
export function failureIn(settlement: Settlement, answers: Answers): 0 | 1 | null {
  switch (settlement) {
    case 'served':
      return 0;
    case 'failed':
      return 1;
    case 'unanswered':
      return answers === 'seen' ? 1 : null;
    case 'neutral':
      return null;
    default:
      return unreachable(settlement);
  }
}

export class Failures {
  readonly #ledger: Ledger;
  readonly #ejected: () => void;
  #plan: PoolPlan;
  #members: readonly BackendId[];
  #kept: ReadonlySet<BackendId>;

  /** `ejected`: this worker has taken a backend out. */
  constructor(plan: PoolPlan, ledger: Ledger, ejected: () => void) {
    this.#ledger = ledger;
    this.#ejected = ejected;
    this.#plan = plan;
    this.#members = kept(plan);
    this.#kept = new Set(this.#members);
  }

  update(plan: PoolPlan): void {
    this.#plan = plan;
    this.#members = kept(plan);
    this.#kept = new Set(this.#members);
  }

  /** Ends a run of failures of the same term; an answer to a session of an earlier one is none. */
  answered(backend: BackendId, term: number): void {
    const { ejections } = this.#ledger;
    if (ejections.term(backend) === term) ejections.succeed(backend);
  }

  /** `term`: the backend's when the session was chosen for it. */
  failed(backend: BackendId, term: number, nowMs: number): void {
    const { ejections } = this.#ledger;
    const { id: pool, settings } = this.#plan;
    const { outlier: spec } = settings;
    if (ejections.term(backend) !== term) return;
    ejections.fail(backend, nowMs, spec);
    if (spec === null || !this.#kept.has(backend)) return;
    const inARow = ejections.evidence(backend, nowMs, spec);
    if (inARow < spec.consecutiveFailures) return;
    const members = this.#members;
    const answer = tryEject(this.#ledger, { pool, backend, members, spec, inARow, nowMs });
    if (answer === 'ejected') this.#ejected();
    else if (answer !== 'already') ejections.setSpared(backend, answer);
  }
}

function kept(plan: PoolPlan): BackendId[] {
  return plan.backends.filter(({ draining }) => !draining).map(({ id }) => id);
}
