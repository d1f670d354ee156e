/**
 * Passive health over all pools: reads what real traffic did to each backend from shared memory,
 * asks the pure trackers, and carries their decisions out in the ledger.
 */
import { unreachable } from '../core/assert.js';
import type { BackendId, PoolId } from '../core/brand.js';
import type { SeriesReader } from '../core/series.js';
import type { OutlierSpec } from '../core/spec.js';
import type { Log } from '../observe/log.js';
import type { ControlCounters } from '../observe/metrics.js';
import { ejectionsAgree, endEjection, repairEjections, tryEject } from '../pool/ejecting.js';
import {
  type EjectionDecision,
  type EjectionMemory,
  type EjectionRoom,
  EjectionTracker,
} from '../pool/ejection.js';
import { type BackendObservation, describeCause } from '../pool/ejection_cause.js';
import { outIn } from '../pool/ejection_ledger.js';
import { isUsable } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import type { BackendEntry, Inventory, PoolEntry } from './inventory.js';
import { LatencyWindow, NO_LATENCIES, type WindowLatencies } from './latency_windows.js';

interface Watch {
  readonly pool: PoolEntry;
  /** Changed by a reload. */
  spec: OutlierSpec;
  readonly tracker: EjectionTracker;
  /** When the present latency window ends. */
  windowEndMs: number;
  readonly window: LatencyWindow;
  /** Since when the shared counts of this pool have not agreed; null: they do. */
  amissSinceMs: number | null;
}

export interface EjectionsDeps {
  readonly ledger: Ledger;
  readonly series: SeriesReader;
  readonly inventory: Inventory;
  readonly counters: ControlCounters;
  readonly log: Log;
}

/** A backend whose eligibility an ejection or a return has changed. */
export interface EjectionEffect {
  readonly entry: BackendEntry;
  readonly returned: boolean;
}

export class Ejections {
  readonly #deps: EjectionsDeps;
  readonly #watches = new Map<PoolId, Watch>();
  /** Of those that were ejected: why, and until when. */
  readonly #ejected = new WeakMap<
    BackendEntry,
    { readonly why: string; readonly untilMs: number }
  >();

  constructor(deps: EjectionsDeps) {
    this.#deps = deps;
  }

  /** Follows the newest Spec; ejections under way go on. */
  update(inventory: Inventory): void {
    for (const pool of inventory.pools.values()) {
      const spec = pool.tenure === 'kept' ? pool.spec.settings.outlier : null;
      const known = this.#watches.get(pool.id);
      if (spec === null) this.#unwatch(pool);
      else if (known?.pool !== pool) this.#watches.set(pool.id, this.#watch(pool, spec));
      else {
        known.spec = spec;
        known.tracker.update(spec);
      }
      this.#pardonLeaving(pool);
    }
  }

  /** True when no backend is out: nothing has to come back. */
  get idle(): boolean {
    const { ledger } = this.#deps;
    return [...this.#watches.keys()].every((pool) => outIn(ledger.ejections.word(pool)) === 0);
  }

  look(nowMs: number): readonly EjectionEffect[] {
    const effects: EjectionEffect[] = [];
    for (const watch of this.#watches.values()) {
      const ended = nowMs >= watch.windowEndMs;
      const observed = kept(watch.pool).map((entry) =>
        this.#observe(watch, entry, nowMs, ended ? watch.window.next(entry.id) : NO_LATENCIES),
      );
      if (ended) watch.windowEndMs = nowMs + watch.spec.intervalMs;
      effects.push(...this.#carryOut(watch, watch.tracker.look(nowMs, observed), nowMs));
      this.#repair(watch, nowMs);
    }
    this.#endUnwatched();
    return effects;
  }

  /** Its probes had found `entry` down and find it up; true when that ended an ejection. */
  recovered(entry: BackendEntry, nowMs: number): boolean {
    const watch = this.#watches.get(entry.pool.id);
    if (watch === undefined) return false;
    return this.#carryOut(watch, watch.tracker.recovered(entry.id, nowMs), nowMs).length > 0;
  }

  /** For another process; null: nothing is to be said of `entry`. */
  memoryOf(entry: BackendEntry): EjectionMemory | null {
    return this.#watches.get(entry.pool.id)?.tracker.memoryOf(entry.id) ?? null;
  }

  /** Goes on from what the process before this one knew of `entry`. */
  resume(entry: BackendEntry, known: EjectionMemory, nowMs: number): void {
    const { tracker } = this.#watches.get(entry.pool.id) ?? {};
    if (tracker?.resume(entry.id, known, nowMs) !== 'out' || known.kind !== 'out') return;
    this.#ejected.set(entry, { why: describeCause(known.cause), untilMs: known.untilMs });
  }

  #observe(
    watch: Watch,
    entry: BackendEntry,
    nowMs: number,
    latencies: WindowLatencies,
  ): BackendObservation {
    const { ledger } = this.#deps;
    const { ejections } = ledger;
    return {
      backend: entry.id,
      isUsable: isUsable(ledger, entry.id),
      failuresInARow: ejections.evidence(entry.id, nowMs, watch.spec),
      taken: ejections.takenOut(entry.id, nowMs),
      spared: ejections.takeSpared(entry.id),
      ...latencies,
    };
  }

  /** Why `entry` is out, and for how long still: `5 failures in a row in real traffic; …`. */
  reasonOf(entry: BackendEntry, nowMs: number): string {
    const ejected = this.#ejected.get(entry);
    if (ejected === undefined) return 'it failed in real traffic';
    const leftS = Math.max(0, Math.ceil((ejected.untilMs - nowMs) / 1_000));
    return `${ejected.why} in real traffic; out for ${leftS} s more`;
  }

  #carryOut(watch: Watch, decisions: readonly EjectionDecision[], nowMs: number): EjectionEffect[] {
    const effects: EjectionEffect[] = [];
    for (const decision of decisions) {
      const entry = kept(watch.pool).find(({ id }) => id === decision.backend);
      if (entry === undefined) continue;
      const effect = this.#carryOutOne(watch, entry, decision, nowMs);
      if (effect !== null) effects.push(effect);
    }
    return effects;
  }

  #carryOutOne(
    watch: Watch,
    entry: BackendEntry,
    decision: EjectionDecision,
    nowMs: number,
  ): EjectionEffect | null {
    const { counters, log } = this.#deps;
    const names = { pool: entry.pool.key, backend: entry.spec.name };
    switch (decision.kind) {
      case 'eject':
        counters.ejection(names, decision.cause.kind);
        counters.transition(names, 'ejected');
        log.event('backend-ejected', { ...names, ...told(decision) });
        this.#ejected.set(entry, {
          why: describeCause(decision.cause),
          untilMs: nowMs + decision.durationMs,
        });
        return { entry, returned: false };
      case 'would-eject':
        counters.dryEjection(names, decision.cause.kind);
        log.event('backend-would-be-ejected', { ...names, ...told(decision) });
        return null;
      case 'spare':
        log.event('ejection-spared', {
          ...names,
          cause: decision.because,
          detail: describeCause(decision.cause),
        });
        return null;
      case 'return':
        // What it did before counts no more.
        watch.window.next(entry.id);
        counters.transition(names, 'returned');
        log.event('backend-returned', {
          ...names,
          detail: this.#returned(entry, decision.because),
        });
        return { entry, returned: true };
      default:
        return unreachable(decision);
    }
  }

  #returned({ id }: BackendEntry, because: 'time-over' | 'recovered'): string {
    const why =
      because === 'time-over' ? 'its time is over' : 'its probes had found it down, and find it up';
    const health = this.#deps.ledger.health(id);
    return health === 'up' ? why : `${why}; but to its probes it is ${health}`;
  }

  /**
   * The tracker forgets backends that left; one that returns to the file would stay ejected for
   * ever.
   */
  #pardonLeaving(pool: PoolEntry): void {
    for (const { id, tenure } of pool.backends.values()) {
      if (tenure !== 'kept') endEjection(this.#deps.ledger, pool.id, id);
    }
  }

  /** Without an outlier section nothing would end an ejection, so it ends now. */
  #unwatch(pool: PoolEntry): void {
    this.#watches.delete(pool.id);
    for (const entry of pool.backends.values()) endEjection(this.#deps.ledger, pool.id, entry.id);
  }

  /** A worker that still has the plan of before may eject where passive health was just ended. */
  #endUnwatched(): void {
    const { ledger, inventory } = this.#deps;
    for (const pool of inventory.pools.values()) {
      if (this.#watches.has(pool.id) || outIn(ledger.ejections.word(pool.id)) === 0) continue;
      for (const { id } of pool.backends.values()) endEjection(ledger, pool.id, id);
      repairEjections(ledger, pool.id, idsOf([...pool.backends.values()]));
    }
  }

  /** A worker that was lost in the middle of an ejection has left a count or a claim behind. */
  #repair(watch: Watch, nowMs: number): void {
    const { ledger } = this.#deps;
    const { id, backends } = watch.pool;
    const members = idsOf([...backends.values()]);
    if (ejectionsAgree(ledger, id, members)) watch.amissSinceMs = null;
    else if (watch.amissSinceMs === null) watch.amissSinceMs = nowMs;
    else if (nowMs - watch.amissSinceMs >= REPAIR_AFTER_MS) repairEjections(ledger, id, members);
  }

  #watch(pool: PoolEntry, spec: OutlierSpec): Watch {
    const tracker = new EjectionTracker(spec, this.#roomOf(pool));
    const window = new LatencyWindow(this.#deps.series);
    return { pool, spec, tracker, windowEndMs: 0, window, amissSinceMs: null };
  }

  #roomOf(pool: PoolEntry): EjectionRoom {
    const { ledger } = this.#deps;
    return {
      take: (backend, inARow, nowMs) => {
        const { outlier: spec } = pool.spec.settings;
        if (spec === null) return 'already';
        const members = idsOf(kept(pool));
        return tryEject(ledger, { pool: pool.id, backend, members, spec, inARow, nowMs });
      },
      giveBack: (backend) => endEjection(ledger, pool.id, backend),
    };
  }
}

/** An ejection takes microseconds; one that is not done by then never will be. */
const REPAIR_AFTER_MS = 1_000;

function kept(pool: PoolEntry): BackendEntry[] {
  return [...pool.backends.values()].filter((entry) => entry.tenure === 'kept');
}

function idsOf(entries: readonly BackendEntry[]): BackendId[] {
  return entries.map(({ id }) => id);
}

function told(decision: Extract<EjectionDecision, { kind: 'eject' | 'would-eject' }>): {
  readonly cause: string;
  readonly detail: string;
  readonly duration_ms: number;
  readonly in_a_row: number;
} {
  const { cause, durationMs, timesInARow } = decision;
  return {
    cause: cause.kind,
    detail: describeCause(cause),
    duration_ms: durationMs,
    in_a_row: timesInARow,
  };
}
