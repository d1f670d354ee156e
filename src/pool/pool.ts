/**
 * One pool as one worker sees it: the roster knows which backends are eligible, the policy chooses
 * among them, the ledger reserves. What was learnt about backends that stay survives an update.
 */

import type { Policy } from '../balance/policy.js';
import { createPolicy } from '../balance/registry.js';
import { presentShared } from '../core/assert.js';
import type { BackendId, PoolId, WorkerId } from '../core/brand.js';
import type { Clock } from '../core/clock.js';
import type { Endpoint } from '../core/endpoint.js';
import type { PoolPlan } from '../core/plan.js';
import { type ExplainedChoice, type ExplainedMember, NO_CHOICE } from '../core/questions.js';
import type { Random } from '../core/random.js';
import { sameValue } from '../core/same_value.js';
import type { PoolSettings } from '../core/spec.js';
import { atOnce, ITEMS_PER_STRETCH, inStretches, type Stretches } from '../core/stretches.js';
import { ineligibleMember, mayStay, type Regard } from './eligibility.js';
import { type Answers, Failures, failureIn } from './failures.js';
import { Learnt } from './learnt.js';
import { BackendLease, type LeaseBook } from './lease.js';
import type { Ledger } from './ledger.js';
import { MemberRows } from './member_rows.js';
import type { PlannedBackend } from './planned_backend.js';
import { carried, membersOf, successors } from './pool_members.js';
import { Roster } from './roster.js';
import type { SelectablePool, Selection, SelectRequest, Settlement } from './selection.js';
import { type SourceList, SourceTurns } from './source_turns.js';
import type { NoBackend } from './standing.js';

export interface PoolDeps {
  readonly ledger: Ledger;
  readonly worker: WorkerId;
  readonly clock: Clock;
  readonly random: Random;
  /** A place at a backend of this pool became free in this worker. */
  readonly freed: (pool: PoolId) => void;
  /** This worker has ejected a backend. */
  readonly ejected: () => void;
}

const NOTHING: Readonly<Record<NoBackend, Selection>> = {
  unproven: { kind: 'unproven' },
  'no-backend': { kind: 'none', reason: 'no-backend' },
  'all-down': { kind: 'none', reason: 'all-down' },
  'all-full': { kind: 'none', reason: 'all-full' },
};

const NO_SUCH_MEMBER = 'a policy chose a member that does not exist';

export interface PoolExplanation extends ExplainedChoice {
  readonly members: readonly ExplainedMember[];
}

export class Pool implements SelectablePool, LeaseBook {
  readonly id: PoolId;
  readonly #deps: PoolDeps;
  readonly #sources = new SourceTurns();
  #plan: PoolPlan;
  #members: readonly PlannedBackend[] = [];
  // By member, side by side: among thousands of members their objects are in no cache.
  #rows = new MemberRows(new Int32Array(0));
  #endpoints: readonly Endpoint[] = [];
  #policy: Policy;
  #learnt = new Learnt(0);
  #roster: Roster;
  /** Whether a backend of this pool has ever answered: some protocols never do. */
  #answers: Answers = 'none yet';
  /** Backends that get no session now, because others come in a moment. */
  #yielding: 'none' | 'some' = 'none';
  readonly #failures: Failures;
  /** What the policy may look up; as of the last choice, or of what was learnt since. */
  readonly #figures = {
    nowMs: 0,
    activeOf: (member: number): number => {
      return this.#deps.ledger.active(this.#rows.at(member));
    },
    latencyMsOf: (member: number): number => this.#learnt.latencyMs(member, this.#figures.nowMs),
    failureRateOf: (member: number): number =>
      this.#learnt.failureRate(member, this.#figures.nowMs),
  };

  constructor(plan: PoolPlan, deps: PoolDeps) {
    this.id = plan.id;
    this.#deps = deps;
    this.#plan = plan;
    this.#failures = new Failures(plan, deps.ledger, deps.ejected);
    // Without members so far: these come as in any update.
    this.#policy = this.#makePolicy(plan);
    this.#roster = this.#rosterOf([], plan, this.#policy);
    this.#roster.open();
    if (plan.backends.length > 0) this.update(plan);
  }

  get name(): string {
    return this.#plan.name;
  }
  get settings(): PoolSettings {
    return this.#plan.settings;
  }
  get needsClientKey(): boolean {
    return this.#policy.needs.clientKey;
  }

  sourcesFor(target: Endpoint): SourceList {
    return this.#sources.next(this.settings.sources, target);
  }

  /** Applies a newer plan of the same pool. */
  update(plan: PoolPlan): void {
    atOnce(this.updating(plan));
  }

  /** The same in stretches: before the end of the last one the pool is as it was. */
  *updating(plan: PoolPlan): Stretches {
    const goOver = yield* this.preparing(plan);
    goOver();
  }

  /** What takes time of `updating`, in stretches; the answer does the rest, in an instant. */
  *preparing(plan: PoolPlan): Stretches<() => void> {
    const next = yield* successors(plan, this.#members);
    const isSame = sameValue(this.settings.policy, plan.settings.policy);
    const policy = isSame ? this.#policy : this.#makePolicy(plan);
    const isLarge = plan.backends.length > ITEMS_PER_STRETCH;
    if (isLarge) yield;
    const members = membersOf(plan);
    if (policy.prepare !== undefined) yield* policy.prepare(members);
    if (isLarge) yield;
    const roster = this.#rosterOf(next.members, plan, policy);
    yield* roster.fill();
    if (isLarge) yield;
    return () => {
      this.#plan = plan;
      this.#failures.update(plan);
      this.#learnt = carried(next, this.#learnt);
      this.#members = next.members;
      this.#rows = next.rows;
      this.#endpoints = next.endpoints;
      this.#yielding = next.members.some(({ yielding }) => yielding) ? 'some' : 'none';
      policy.update(members);
      this.#policy = policy;
      if (policy.needs.latency) this.#figures.nowMs = this.#deps.clock.nowMs();
      this.#roster.close(roster);
      this.#roster = roster;
      roster.open();
    };
  }

  /** It is in no plan any more. */
  close(): void {
    this.#roster.close(null);
  }

  select(request: SelectRequest): Selection {
    const { ledger, worker, random } = this.#deps;
    const regard = this.#look(request.tried);
    for (;;) {
      const candidates = this.#roster.candidates(regard);
      if (candidates === null) return this.#nothing(request.tried, regard);
      const member = candidates.choose(request.clientKey, random);
      const backend = presentShared(this.#members[member], NO_SUCH_MEMBER);
      const id = this.#rows.at(member);
      if (ledger.tryTake(id, worker)) {
        const endpoint = presentShared(this.#endpoints[member], NO_SUCH_MEMBER);
        const term = ledger.ejections.term(id);
        return new BackendLease(this, backend, id, endpoint, member, term);
      }
      // Another worker took the last place between the look and the reservation.
      this.#roster.leaveOut(member);
    }
  }

  /** Whether a session that has tried no backend would be served now. */
  hasPlace(): boolean {
    return this.#roster.candidates(this.#look(null)) !== null;
  }

  mayStay(backend: BackendId): boolean {
    return mayStay(this.#deps.ledger, backend);
  }

  /** What `select` would answer with `random` now, and why; nothing is reserved. */
  explain(request: SelectRequest, random: Random): PoolExplanation {
    return atOnce(this.explaining(request, random));
  }

  /** The same in stretches; the choice is made in the first one. */
  *explaining(request: SelectRequest, random: Random): Stretches<PoolExplanation> {
    const regard = this.#look(request.tried);
    const found = this.#roster.candidates(regard);
    const selection = found === null ? this.#nothing(request.tried, regard) : null;
    const rule = found?.explain(request.clientKey, random);
    const chosen = rule === undefined ? null : (this.#members[rule.member]?.name ?? null);
    const current = this.#members;
    const members: ExplainedMember[] = [];
    yield* inStretches(current.length, (index) => {
      const member = current[index];
      if (member === undefined) return;
      const reason =
        ineligibleMember(this.#deps.ledger, member, request.tried, regard) ??
        (found?.has(index) === true ? null : ('backup' as const));
      const score = reason === null ? (found?.scoreOf(index) ?? null) : null;
      members.push({ name: member.name, reason, score });
    });
    const whyNone = selection?.kind === 'none' ? selection.reason : 'unproven';
    return {
      members,
      chosen,
      whyNone: selection === null ? null : whyNone,
      sentence: rule?.sentence ?? NO_CHOICE,
    };
  }

  // ---- LeaseBook: what a lease reports ----

  connected(lease: BackendLease, connectMs: number): void {
    this.#took(lease, connectMs);
  }

  answered(lease: BackendLease, firstByteMs: number): void {
    this.#answers = 'seen';
    this.#failures.answered(lease.id, lease.term);
    this.#took(lease, firstByteMs);
  }

  settled(lease: BackendLease, settlement: Settlement): void {
    const { ledger, worker } = this.#deps;
    const { id, member, term } = lease;
    const failed = failureIn(settlement, this.#answers);
    // Given back first: what is learnt does more, and a defect in it must not keep a place.
    ledger.giveBack(id, worker);
    this.#deps.freed(this.id);
    if (failed === 1) this.#failures.failed(id, term, this.#deps.clock.nowMs());
    if (failed !== null && this.#learnsAbout(lease)) {
      this.#learnt.ended(member, failed, this.#figures.nowMs);
      this.#roster.measured(member);
    }
  }

  #took(lease: BackendLease, tookMs: number): void {
    if (!this.#learnsAbout(lease)) return;
    this.#learnt.took(lease.member, tookMs, this.#figures.nowMs);
    this.#roster.measured(lease.member);
  }

  /** Also moves the figures to the present. */
  #learnsAbout({ backend, member }: BackendLease): boolean {
    if (!this.#policy.needs.latency || this.#members[member] !== backend) return false;
    this.#figures.nowMs = this.#deps.clock.nowMs();
    return true;
  }

  #makePolicy(plan: PoolPlan): Policy {
    const turns = this.#deps.ledger.turnsOf(plan.id, this.#deps.worker);
    return createPolicy(plan.settings.policy, [], turns);
  }

  #rosterOf(members: readonly PlannedBackend[], plan: PoolPlan, policy: Policy): Roster {
    const { ledger, worker } = this.#deps;
    const { panicPercent } = plan.settings;
    const figures = this.#figures;
    const pool = this.id;
    // What its bad time was like says nothing about it now, and would keep load away from it.
    const returned = (member: number): void => {
      this.#learnt.forget(member);
      this.#roster.measured(member);
    };
    const options = { pool, ledger, worker, policy, figures, panicPercent, returned };
    return new Roster(members, options);
  }

  /** Makes the roster what it is for a session that has `tried` these in vain. */
  #look(tried: readonly BackendId[] | null): Regard {
    if (this.#policy.needs.latency) this.#figures.nowMs = this.#deps.clock.nowMs();
    this.#roster.follow();
    if (tried !== null) this.#roster.leaveOutTried(tried);
    return this.#roster.regard;
  }

  #nothing(tried: readonly BackendId[] | null, regard: Regard): Selection {
    const reason = this.#roster.whyNoBackend(regard, tried);
    // Those that yield do so for others that come in a moment.
    const waits = this.#yielding === 'some' && reason !== 'all-full';
    return waits || reason === 'unproven' ? NOTHING.unproven : NOTHING[reason];
  }
}
