/**
 * The state of every backend of a balancer: which it has, what probes and requests say, ramps and
 * drains. It writes the ledger by the rules of the daemon, and moves on what time moves.
 */
import type { PoolId } from '../core/brand.js';
import type { Clock, Timer, Timers } from '../core/clock.js';
import { type Address, type Endpoint, formatAddress } from '../core/endpoint.js';
import type { ProbeSpec } from '../core/health_spec.js';
import type { PoolPlan } from '../core/plan.js';
import type { Proof } from '../core/proof.js';
import type { Random } from '../core/random.js';
import { ranksOf } from '../core/ranks.js';
import type { PoolSpec } from '../core/spec.js';
import type { Probe } from '../health/probe.js';
import { conditionOf, proofOf } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import { regardOf, standingOf } from '../pool/standing.js';
import { Weights } from '../pool/weights.js';
import { ActiveHealth } from './active_health.js';
import type { Connections } from './connections.js';
import type { Counts } from './counts.js';
import type { Entry } from './entry.js';
import type { Tell } from './events.js';
import { PassiveHealth } from './passive_health.js';
import { Roll } from './roll.js';

export const ONLY_POOL = 0 as PoolId;

/** How often time is looked at while something moves by it. */
const LOOK_MS = 250;

export interface StatesDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly createProbe: (spec: ProbeSpec) => Probe;
  readonly ledger: Ledger;
  readonly counts: Counts;
  readonly connections: Connections;
  readonly tell: Tell;
  readonly defect: (error: unknown) => void;
  /** The pool follows a new set of backends. */
  readonly planned: (plan: PoolPlan) => void;
  /** It has no connection left, or serves again. */
  readonly drainEnded: (entry: Entry) => void;
  /** What waits is looked at again. */
  readonly ring: () => void;
}

export class States {
  readonly roll: Roll;
  readonly active: ActiveHealth;
  readonly passive: PassiveHealth;
  readonly #deps: StatesDeps;
  readonly #weights: Weights;
  readonly #ramping = new Set<Entry>();
  /** Those that get nothing new and still have sessions, and when their time is over. */
  readonly #draining = new Map<Entry, number>();
  #look: Timer | null = null;
  #state: 'open' | 'closed' = 'open';

  constructor(spec: PoolSpec, deps: StatesDeps) {
    const { ledger, counts, tell } = deps;
    this.#deps = deps;
    this.#weights = new Weights(ledger);
    this.roll = new Roll(spec, ledger);
    this.passive = new PassiveHealth({
      pool: ONLY_POOL,
      ledger,
      counts,
      tell,
      roll: this.roll,
      returned: (entry) => this.#returned(entry),
    });
    this.active = new ActiveHealth({
      ...deps,
      roll: this.roll,
      weighed: (entry, share) => this.#weighed(entry, share),
      changed: (entry, to, how) => {
        if (how === 'recovered') {
          this.#returned(entry);
          this.passive.recovered(entry, deps.clock.nowMs());
        }
        const { onDown, onDownSpreadMs } = this.roll.pool.spec;
        if (to !== 'up' && onDown === 'close') deps.connections.close(entry, onDownSpreadMs);
        deps.ring();
      },
    });
  }

  /** No backend has had a verdict yet, and none serves without. */
  get isUnproven(): boolean {
    const { kept, pool } = this.roll;
    const rankOf = ranksOf(pool.spec);
    const members = kept.map(({ id, spec }) => ({ id, rank: rankOf(spec) }));
    const { panicPercent } = pool.spec.settings;
    return standingOf(this.#deps.ledger, members, panicPercent).serves === 'unproven';
  }

  /** Follows `spec`; what stays keeps counts, latencies, health and ramps. */
  follow(spec: PoolSpec, endpointOf: (address: Address) => Endpoint | null): void {
    const { ledger, tell, clock, drainEnded } = this.#deps;
    const nowMs = clock.nowMs();
    const { arrived, departed } = this.roll.follow(spec, endpointOf);
    for (const entry of arrived) {
      ledger.clearClosed(entry.id, 'removed');
      this.#draining.delete(entry);
      // A drain is over when its backend leaves: it comes back as a new one.
      if (entry.admin === 'drained') drainEnded(entry);
      entry.admin = 'ready';
      tell('backend-added', { ...this.#namesOf(entry), address: entry.view.address });
    }
    for (const entry of this.roll.kept) this.#write(entry);
    for (const entry of departed) {
      ledger.setClosed(entry.id, 'removed');
      this.#draining.set(entry, nowMs + spec.drainTimeoutMs);
      const { address } = entry.view;
      const sessions = ledger.active(entry.id);
      tell('backend-removed', { ...this.#namesOf(entry), address, sessions });
    }
    this.#plan();
    this.passive.update(spec.settings.outlier);
    this.active.update();
    this.#forgetEmpty();
    this.#deps.ring();
    this.wake();
  }

  /** It left because its role is another one now: its sockets end as those of one that is down. */
  demoted(address: string): void {
    const { onDown, onDownSpreadMs } = this.roll.pool.spec;
    if (onDown !== 'close') return;
    for (const entry of this.roll.entries) {
      if (entry.tenure !== 'leaving' || formatAddress(entry.spec.address) !== address) continue;
      this.#deps.connections.close(entry, onDownSpreadMs);
    }
  }

  /** `ready` ends a drain. */
  setAdmin(entry: Entry, admin: Entry['admin']): void {
    const { ledger, clock } = this.#deps;
    entry.admin = admin;
    if (admin === 'drained') {
      ledger.setClosed(entry.id, 'removed');
      this.#draining.set(entry, clock.nowMs() + entry.pool.spec.drainTimeoutMs);
    } else {
      ledger.clearClosed(entry.id, 'removed');
      this.#draining.delete(entry);
    }
    this.#deps.ring();
    this.wake();
  }

  /** What probes say of the backend at `address`, as it was given. */
  proofOf(address: string): Proof {
    const { kept, pool } = this.roll;
    const entry = kept.find(({ spec }) => formatAddress(spec.address) === address);
    if (entry === undefined) return 'unproven';
    const { health, settings } = pool.spec;
    if (health.probe.kind === 'none') return 'unprobed';
    const { ledger } = this.#deps;
    return proofOf(ledger, entry.id, () => regardOf(ledger, kept, settings.panicPercent));
  }

  /** Addresses, as they were given, whose backends are all down. */
  downNames(): ReadonlySet<string> {
    const down = new Set<string>();
    const well = new Set<string>();
    for (const { id, spec } of this.roll.kept) {
      const isDown = conditionOf(this.#deps.ledger, id) === 'down';
      (isDown ? down : well).add(formatAddress(spec.address));
    }
    return new Set([...down].filter((address) => !well.has(address)));
  }

  /** The share of its weight that the probes of `entry` ask for. */
  shareOf({ id }: Entry): number {
    return this.#weights.share(id);
  }

  /** Something happened that time goes on with. */
  wake(): void {
    if (this.#look !== null || this.#state === 'closed') return;
    const isCalm = this.#ramping.size === 0 && this.#draining.size === 0 && this.passive.isIdle;
    if (isCalm) return;
    this.#look = this.#deps.timers.after(LOOK_MS, () => {
      this.#look = null;
      this.look();
      this.wake();
    });
  }

  /** Moves on what time moves, and reports what requests have done since. */
  look(): void {
    const { clock, connections, ring } = this.#deps;
    const nowMs = clock.nowMs();
    this.passive.look(nowMs);
    for (const entry of [...this.#ramping]) this.#write(entry);
    for (const [entry, untilMs] of this.#draining) {
      if (nowMs < untilMs) continue;
      this.#draining.set(entry, Number.POSITIVE_INFINITY);
      connections.close(entry, entry.pool.spec.drainSpreadMs);
    }
    this.#forgetEmpty();
    ring();
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#look?.cancel();
    await this.active.stop();
  }

  /** Of those that drain: which have no session any more. */
  #forgetEmpty(): void {
    const { ledger, tell, counts, drainEnded } = this.#deps;
    const empty = [...this.#draining.keys()].filter(({ id }) => ledger.active(id) === 0);
    if (empty.length === 0) return;
    for (const entry of empty) {
      this.#draining.delete(entry);
      tell('backend-drained', this.#namesOf(entry));
      drainEnded(entry);
    }
    const gone = empty.filter(({ tenure }) => tenure === 'leaving');
    if (gone.length === 0) return;
    this.#plan(gone);
    for (const entry of gone) {
      this.#ramping.delete(entry);
      this.#weights.forget(entry.id);
      this.passive.latencies.forget(entry.id);
      if (this.roll.named(entry.spec.name) === undefined) counts.forget(entry.spec.name);
    }
    this.roll.forget(gone);
  }

  #plan(without: readonly Entry[] = []): void {
    const { spec } = this.roll.pool;
    const { name, settings } = spec;
    const rankOf = ranksOf(spec);
    const entries = [...this.roll.entries].filter((entry) => !without.includes(entry));
    const backends = entries.map((entry) => entry.plan(rankOf(entry.spec)));
    this.#deps.planned({ id: ONLY_POOL, name, settings, backends });
  }

  #returned(entry: Entry): void {
    this.#weights.returned(entry.id, this.#deps.clock.nowMs());
    this.#write(entry);
    this.wake();
  }

  #weighed(entry: Entry, share: number): void {
    if (share === this.#weights.share(entry.id)) return;
    this.#weights.degraded(entry.id, share);
    this.#write(entry);
    const percent = Math.round(share * 100);
    this.#deps.tell('backend-degraded', { ...this.#namesOf(entry), percent });
  }

  #write(entry: Entry): void {
    if (this.#weights.write(entry, this.#deps.clock.nowMs())) this.#ramping.add(entry);
    else this.#ramping.delete(entry);
  }

  #namesOf({ spec }: Entry): { readonly pool: string; readonly backend: string } {
    return { pool: this.roll.pool.spec.name, backend: spec.name };
  }
}
