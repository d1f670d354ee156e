/**
 * One pool as one worker sees it: filters by eligibility, lets the policy draw, reserves. What was
 * learnt about backends that stay survives an update.
 */

import type { Choice, Policy } from '../balance/policy.js';
import { createPolicy } from '../balance/registry.js';
import { presentShared, unreachable } from '../core/assert.js';
import type { BackendId, PoolId, WorkerId } from '../core/brand.js';
import type { Clock } from '../core/clock.js';
import type { Ineligible } from '../core/outcome.js';
import type { PoolPlan } from '../core/plan.js';
import type { Random } from '../core/random.js';
import { GONE, ineligible, type Regard } from './eligibility.js';
import { FailureRate } from './failure_rate.js';
import { Failures } from './failures.js';
import { BackendLease, type LeaseBook } from './lease.js';
import type { Ledger } from './ledger.js';
import { PeakEwma } from './peak_ewma.js';
import { PlannedBackend } from './planned_backend.js';
import { membersOf, sameHash } from './pool_members.js';
import type { PoolView, Selection, SelectRequest, Settlement } from './selection.js';
import { inTier, regardOf, type Tier, tiersOf, whyNobody } from './standing.js';

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

/** Stands for figures that the policy does not read. */
const NOT_READ = new Float64Array(0);

export class Pool implements PoolView, LeaseBook {
  readonly id: PoolId;
  readonly #deps: PoolDeps;
  #plan: PoolPlan;
  #members: readonly PlannedBackend[] = [];
  #policy: Policy;
  #latency = new PeakEwma(0);
  /** Whether a backend of this pool has ever answered: some protocols never do. */
  #answers: 'none yet' | 'seen' = 'none yet';
  #eligible = new Int32Array(0);
  #active = new Int32Array(0);
  #weight = new Float64Array(0);
  #failureRate = new FailureRate(0);
  readonly #failures: Failures;

  constructor(plan: PoolPlan, deps: PoolDeps) {
    this.id = plan.id;
    this.#deps = deps;
    this.#plan = plan;
    this.#failures = new Failures(plan, deps.ledger, deps.ejected);
    this.#policy = this.#makePolicy(plan);
    this.#setMembers(plan);
  }

  get name(): string {
    return this.#plan.name;
  }
  get policy(): string {
    return this.#plan.policy;
  }
  get needsClientKey(): boolean {
    return this.#policy.needs.clientKey;
  }
  get connectTimeoutMs(): number {
    return this.#plan.connectTimeoutMs;
  }
  get retries(): number {
    return this.#plan.retries;
  }
  get queueSize(): number {
    return this.#plan.queueSize;
  }
  get queueTimeoutMs(): number {
    return this.#plan.queueTimeoutMs;
  }
  get sendProxyProtocol(): 'off' | 'v1' | 'v2' {
    return this.#plan.sendProxyProtocol;
  }
  get udpResponses(): number {
    return this.#plan.udpResponses;
  }

  /** Applies a newer plan of the same pool. */
  update(plan: PoolPlan): void {
    const before = this.#plan;
    this.#plan = plan;
    this.#failures.update(plan);
    if (before.policy === plan.policy && sameHash(before, plan)) {
      this.#policy.update(membersOf(plan));
    } else {
      this.#policy = this.#makePolicy(plan);
    }
    this.#setMembers(plan);
  }

  select(request: SelectRequest): Selection {
    const regard = this.#regard();
    let count = this.#candidates(request.tried, regard);
    while (count > 0) {
      const choice = this.#choice(count, request.clientKey);
      const member = this.#policy.choose(choice, this.#deps.random);
      const backend = presentShared(
        this.#members[member],
        'a policy chose a member that does not exist',
      );
      if (this.#deps.ledger.tryTake(backend.id, this.#deps.worker)) {
        const term = this.#deps.ledger.ejections.term(backend.id);
        return { kind: 'chosen', lease: new BackendLease(this, backend, member, term) };
      }
      // Another worker took the last place between the look and the reservation.
      count = this.#leaveOut(member, count);
    }
    return this.#nothing(request.tried, regard);
  }

  /** Whether a session that has tried nobody would be served now. */
  hasPlace(): boolean {
    return this.#candidates(null, this.#regard()) > 0;
  }

  mayStay(backend: BackendId): boolean {
    const { ledger } = this.#deps;
    const health = ledger.health(backend);
    return (ledger.closed(backend) & GONE) === 0 && health !== 'down' && health !== 'standby';
  }

  /**
   * Each member with the reason why it is not eligible now (null: it is), and the policy's answer.
   */
  explain(request: SelectRequest): {
    readonly members: readonly { readonly name: string; readonly reason: Ineligible | null }[];
    readonly sentence: string;
  } {
    const regard = this.#regard();
    const count = this.#candidates(request.tried, regard);
    const candidates = new Set(this.#eligible.subarray(0, count));
    const members = this.#members.map((member, index) => ({
      name: member.name,
      reason:
        ineligible(this.#deps.ledger, member.id, request.tried, regard) ??
        (candidates.has(index) ? null : ('backup' as const)),
    }));
    const sentence =
      count === 0
        ? 'no backend is eligible'
        : this.#policy.explain(this.#choice(count, request.clientKey));
    return { members, sentence };
  }

  // ---- LeaseBook: what a lease reports ----

  connected(backend: PlannedBackend, member: number, connectMs: number): void {
    if (this.#policy.needs.latency && this.#members[member] === backend) {
      this.#latency.observe(member, connectMs, this.#deps.clock.nowMs());
    }
  }

  answered(backend: PlannedBackend, member: number, firstByteMs: number, term: number): void {
    this.#answers = 'seen';
    this.#failures.answered(backend.id, term);
    if (this.#policy.needs.latency && this.#members[member] === backend) {
      this.#latency.observe(member, firstByteMs, this.#deps.clock.nowMs());
    }
  }

  settled(backend: PlannedBackend, member: number, settlement: Settlement, term: number): void {
    const { ledger, worker } = this.#deps;
    const failed = this.#failed(settlement);
    // Given back first: what is learnt does more, and what breaks in it must keep nobody's place.
    ledger.giveBack(backend.id, worker);
    this.#deps.freed(this.id);
    if (failed === 1) this.#failures.failed(backend.id, term, this.#deps.clock.nowMs());
    if (failed !== null && this.#policy.needs.latency && this.#members[member] === backend) {
      this.#failureRate.observe(member, failed, this.#deps.clock.nowMs());
    }
  }

  /** 1 = the backend failed, 0 = it served, null = nothing was learnt. */
  #failed(settlement: Settlement): 0 | 1 | null {
    switch (settlement) {
      case 'served':
        return 0;
      case 'failed':
        return 1;
      case 'unanswered':
        return this.#answers === 'seen' ? 1 : null;
      case 'neutral':
        return null;
      default:
        return unreachable(settlement);
    }
  }

  #makePolicy(plan: PoolPlan): Policy {
    const turns = this.#deps.ledger.turnsOf(plan.id, this.#deps.worker);
    return createPolicy(plan.policy, membersOf(plan), { hash: plan.hash, turns });
  }

  #setMembers(plan: PoolPlan): void {
    const before = this.#members;
    const latency = new PeakEwma(plan.backends.length);
    const failureRate = new FailureRate(plan.backends.length);
    this.#members = plan.backends.map((backend, index) => {
      // A row may have become another backend's: what was learnt goes with the address.
      const at = before.findIndex((member) => member.id === backend.id && member.isAt(backend));
      const known = before[at];
      if (known === undefined) return new PlannedBackend(backend);
      latency.adopt(index, this.#latency, at);
      failureRate.adopt(index, this.#failureRate, at);
      return known.sameAs(backend) && at === index ? known : new PlannedBackend(backend);
    });
    this.#latency = latency;
    this.#failureRate = failureRate;
    this.#eligible = new Int32Array(plan.backends.length);
    this.#active = new Int32Array(plan.backends.length);
    this.#weight = new Float64Array(plan.backends.length);
  }

  /** Fills the scratch arrays for a choice; answers how many are eligible. */
  #candidates(tried: readonly BackendId[] | null, regard: Regard): number {
    for (const tier of tiersOf(regard)) {
      const count = this.#fill(tried, tier, regard);
      if (count > 0) return count;
    }
    return 0;
  }

  #fill(tried: readonly BackendId[] | null, tier: Tier, regard: Regard): number {
    const { ledger } = this.#deps;
    const members = this.#members;
    let count = 0;
    for (let index = 0; index < members.length; index++) {
      const member = members[index] as PlannedBackend;
      this.#active[index] = ledger.active(member.id);
      this.#weight[index] = ledger.weight(member.id);
      if (member.yielding || !inTier(member, tier)) continue;
      if (ineligible(ledger, member.id, tried, regard) !== null) continue;
      this.#eligible[count++] = index;
    }
    return count;
  }

  #choice(count: number, clientKey: Uint8Array): Choice {
    const { latency } = this.#policy.needs;
    const nowMs = latency ? this.#deps.clock.nowMs() : 0;
    return {
      eligible: this.#eligible,
      eligibleCount: count,
      active: this.#active,
      weight: this.#weight,
      latencyMs: latency ? this.#latency.valuesAt(nowMs) : NOT_READ,
      failureRate: latency ? this.#failureRate.valuesAt(nowMs) : NOT_READ,
      clientKey,
    };
  }

  #leaveOut(member: number, count: number): number {
    const at = this.#eligible.indexOf(member);
    this.#eligible.copyWithin(at, at + 1, count);
    return count - 1;
  }

  #regard(): Regard {
    return regardOf(this.#deps.ledger, this.#members, this.#plan.panicPercent);
  }

  #nothing(tried: readonly BackendId[] | null, regard: Regard): Selection {
    const staying = this.#members.filter(({ yielding }) => !yielding);
    const reason = whyNobody(this.#deps.ledger, staying, tried, regard);
    // Those that yield do so for others that come in a moment.
    const waits = staying.length < this.#members.length && reason !== 'all-full';
    if (waits || reason === 'unproven') return { kind: 'unproven' };
    return { kind: 'none', reason };
  }
}
