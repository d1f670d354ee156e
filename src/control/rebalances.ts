/**
 * Rebalancing over all pools (`rebalance_percent`): learns which backends came back, asks the pure
 * plan of each pool what to move, and orders it from the workers that have the sessions.
 */
import { hasAffinity } from '../balance/registry.js';
import type { PoolId, WorkerId } from '../core/brand.js';
import type { Log } from '../observe/log.js';
import { ineligible } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import { type Load, type Move, Rebalance } from '../pool/rebalance.js';
import type { EndOrder } from '../session/tcp/ending.js';
import type { BackendEntry, Inventory, PoolEntry } from './inventory.js';

export interface RebalancesDeps {
  readonly ledger: Ledger;
  readonly inventory: Inventory;
  readonly log: Log;
  readonly workers: number;
  /** Orders `worker` to end some of its sessions. */
  readonly move: (worker: WorkerId, ending: EndOrder) => void;
}

/** Moves come in steps of this; workers spread a step over half of it. */
const STEP_MS = 1_000;
const MOVE_SPAN_MS = STEP_MS / 2;
/** What is younger ends by itself soon, and is not moved. */
const LONG_LIVED_MS = 60_000;

export class Rebalances {
  readonly #deps: RebalancesDeps;
  readonly #pools = new Map<PoolId, Rebalance>();
  #nextMs = 0;

  constructor(deps: RebalancesDeps) {
    this.#deps = deps;
  }

  /**
   * Sessions of `entry`'s pool may be moved to it when its slow start is over and those that
   * fled from it have become long-lived: meanwhile short ones level the load by themselves.
   */
  returned({ pool }: BackendEntry, nowMs: number): void {
    if (!isWanted(pool)) return;
    const plan = this.#pools.get(pool.id) ?? new Rebalance();
    plan.returned(nowMs + Math.max(pool.spec.slowStartMs, LONG_LIVED_MS));
    this.#pools.set(pool.id, plan);
  }

  /** True when no pool is to be levelled. */
  get idle(): boolean {
    return this.#pools.size === 0;
  }

  /** To be called every now and then. */
  look(nowMs: number): void {
    if (this.#pools.size === 0 || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + STEP_MS;
    const present = new Map([...this.#deps.inventory.pools.values()].map((p) => [p.id, p]));
    for (const [id, plan] of this.#pools) {
      const pool = present.get(id);
      if (pool === undefined || !isWanted(pool)) this.#pools.delete(id);
      else this.#lookAt(pool, plan, nowMs);
    }
  }

  #lookAt(pool: PoolEntry, plan: Rebalance, nowMs: number): void {
    const moves = plan.look(nowMs, pool.spec.rebalancePercent, this.#loads(pool));
    if (plan.isLevel) this.#pools.delete(pool.id);
    for (const move of moves) this.#carryOut(pool, move);
  }

  /** Backends that may be chosen, and those that could but for their cap. */
  #loads(pool: PoolEntry): Load[] {
    const { ledger } = this.#deps;
    return [...pool.backends.values()].flatMap(({ id: backend, spec }) => {
      const reason = ineligible(ledger, backend, null, 'health');
      if ((reason !== null && reason !== 'full') || spec.backup) return [];
      const active = ledger.active(backend);
      const cap = ledger.cap(backend);
      const room = cap === 0 ? Number.POSITIVE_INFINITY : Math.max(0, cap - active);
      return [{ backend, active, weight: ledger.weight(backend), room }];
    });
  }

  /** Shares a move out among the workers, always to the one with most sessions left. */
  #carryOut(pool: PoolEntry, { backend, count }: Move): void {
    const { ledger, workers, log, move } = this.#deps;
    const left = Array.from({ length: workers }, (_, worker) =>
      ledger.activeIn(worker as WorkerId, backend),
    );
    const shares = left.map(() => 0);
    // Sessions of other processes count, and cannot be moved.
    const own = left.reduce((sum, sessions) => sum + sessions, 0);
    const sessions = Math.min(count, own);
    if (sessions === 0) return;
    for (let moved = 0; moved < sessions; moved++) {
      const most = left.indexOf(Math.max(...left));
      left[most] = (left[most] ?? 0) - 1;
      shares[most] = (shares[most] ?? 0) + 1;
    }
    shares.forEach((share, worker) => {
      const limit = { count: share, minAgeMs: LONG_LIVED_MS };
      const how = { cause: 'rebalanced', spanMs: MOVE_SPAN_MS, order: 'final' } as const;
      if (share > 0) move(worker as WorkerId, { ...how, backend, limit });
    });
    const entry = [...pool.backends.values()].find(({ id }) => id === backend);
    log.event('sessions-closing', {
      pool: pool.key,
      backend: entry?.spec.name ?? '',
      sessions,
      span_ms: MOVE_SPAN_MS,
      cause: 'rebalanced',
    });
  }
}

/** Where a client comes back to its backend there is nothing to gain. */
function isWanted({ tenure, spec }: PoolEntry): boolean {
  return tenure === 'kept' && spec.rebalancePercent > 0 && !hasAffinity(spec.settings.policy);
}
