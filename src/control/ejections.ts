/**
 * Passive health over all pools: reads what real traffic did to each backend from shared memory,
 * asks the pure trackers, and carries their decisions out in the ledger.
 */
import { unreachable } from '../core/assert.js';
import type { BackendId, PoolId } from '../core/brand.js';
import {
  HISTOGRAM_BOUNDS_SECONDS,
  type HistogramValues,
  type SeriesReader,
} from '../core/series.js';
import type { OutlierSpec } from '../core/spec.js';
import type { Log } from '../observe/log.js';
import type { ControlCounters } from '../observe/metrics.js';
import { type EjectionDecision, EjectionTracker } from '../pool/ejection.js';
import { type BackendObservation, describeCause } from '../pool/ejection_cause.js';
import { type LatencySample, latencyBetween } from '../pool/latency_window.js';
import { CLOSED_BECAUSE, type Ledger } from '../pool/ledger.js';
import type { BackendEntry, Inventory, PoolEntry } from './inventory.js';

interface Watch {
  readonly pool: PoolEntry;
  readonly spec: OutlierSpec;
  readonly tracker: EjectionTracker;
  /** When the present latency window ends. */
  windowEndMs: number;
  /** By backend: the histograms at the start of the window. */
  readonly before: Map<BackendId, Latencies>;
}

interface Latencies {
  readonly connect: HistogramValues;
  readonly firstByte: HistogramValues;
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

  constructor(deps: EjectionsDeps) {
    this.#deps = deps;
  }

  /** Follows the newest Spec; ejections under way go on. */
  update(inventory: Inventory): void {
    for (const pool of inventory.pools.values()) {
      const spec = pool.tenure === 'kept' ? pool.spec.outlier : null;
      const known = this.#watches.get(pool.id);
      if (spec === null) this.#unwatch(pool);
      else if (known === undefined) this.#watches.set(pool.id, watchOf(pool, spec));
      else this.#watches.set(pool.id, { ...known, spec, tracker: updated(known.tracker, spec) });
      this.#pardonLeaving(pool);
    }
  }

  look(nowMs: number): readonly EjectionEffect[] {
    const effects: EjectionEffect[] = [];
    for (const watch of this.#watches.values()) {
      const ended = nowMs >= watch.windowEndMs;
      const observed = kept(watch.pool).map((entry) =>
        this.#observe(entry, ended ? this.#latencies(watch, entry) : NO_LATENCIES),
      );
      if (ended) watch.windowEndMs = nowMs + watch.spec.intervalMs;
      effects.push(...this.#carryOut(watch, watch.tracker.look(nowMs, observed)));
    }
    return effects;
  }

  /** A probe that began at `startedMs` succeeded; true when that ended an ejection. */
  probed(entry: BackendEntry, startedMs: number, nowMs: number): boolean {
    const watch = this.#watches.get(entry.pool.id);
    if (watch === undefined) return false;
    const decisions = watch.tracker.probed(entry.id, startedMs, nowMs);
    return this.#carryOut(watch, decisions).length > 0;
  }

  #observe(entry: BackendEntry, latencies: typeof NO_LATENCIES): BackendObservation {
    const { ledger } = this.#deps;
    const gone = CLOSED_BECAUSE.removed | CLOSED_BECAUSE.expired;
    return {
      backend: entry.id,
      isUsable:
        ledger.health(entry.id) === 'up' &&
        ledger.weight(entry.id) > 0 &&
        (ledger.closed(entry.id) & gone) === 0,
      failuresInARow: ledger.takeFailurePeak(entry.id),
      ...latencies,
    };
  }

  /** Medians of the window that ends now; the next one starts here. */
  #latencies(watch: Watch, entry: BackendEntry): typeof NO_LATENCIES {
    const now = {
      connect: this.#sum(entry, 'connect'),
      firstByte: this.#sum(entry, 'firstByte'),
    };
    const before = watch.before.get(entry.id) ?? null;
    watch.before.set(entry.id, now);
    if (before === null) return NO_LATENCIES;
    const { connect, firstByte } = HISTOGRAM_BOUNDS_SECONDS;
    return {
      connect: latencyBetween(before.connect, now.connect, connect),
      firstByte: latencyBetween(before.firstByte, now.firstByte, firstByte),
    };
  }

  /** A backend's histogram over all listeners that lead to it. */
  #sum(entry: BackendEntry, name: 'connect' | 'firstByte'): HistogramValues {
    const rows = this.#deps.inventory.seriesOf(entry);
    const parts = rows.map(({ series }) => this.#deps.series.histogram(series, name));
    const counts = [...HISTOGRAM_BOUNDS_SECONDS[name], 0].map((_, bucket) =>
      parts.reduce((sum, part) => sum + (part.counts[bucket] ?? 0), 0),
    );
    return { counts, sumSeconds: parts.reduce((sum, part) => sum + part.sumSeconds, 0) };
  }

  #carryOut(watch: Watch, decisions: readonly EjectionDecision[]): EjectionEffect[] {
    const effects: EjectionEffect[] = [];
    for (const decision of decisions) {
      const entry = kept(watch.pool).find(({ id }) => id === decision.backend);
      if (entry === undefined) continue;
      const effect = this.#carryOutOne(entry, decision);
      if (effect !== null) effects.push(effect);
    }
    return effects;
  }

  #carryOutOne(entry: BackendEntry, decision: EjectionDecision): EjectionEffect | null {
    const { ledger, counters, log } = this.#deps;
    const names = { pool: entry.pool.key, backend: entry.spec.name };
    switch (decision.kind) {
      case 'eject':
        ledger.setClosed(entry.id, 'ejected');
        counters.ejection(names, decision.cause.kind);
        counters.transition(names, 'ejected');
        log.event('backend-ejected', { ...names, ...told(decision) });
        return { entry, returned: false };
      case 'would-eject':
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
        ledger.clearClosed(entry.id, 'ejected');
        ledger.forgetFailures(entry.id);
        counters.transition(names, 'returned');
        log.event('backend-returned', { ...names, detail: decision.because });
        return { entry, returned: true };
      default:
        return unreachable(decision);
    }
  }

  /** The tracker forgets who left; one that returns to the file would stay ejected for ever. */
  #pardonLeaving(pool: PoolEntry): void {
    const { ledger } = this.#deps;
    for (const { id, tenure } of pool.backends.values()) {
      if (tenure === 'kept' || (ledger.closed(id) & CLOSED_BECAUSE.ejected) === 0) continue;
      ledger.clearClosed(id, 'ejected');
      ledger.forgetFailures(id);
    }
  }

  /** Without an outlier section nobody would end an ejection, so it ends now. */
  #unwatch(pool: PoolEntry): void {
    if (!this.#watches.delete(pool.id)) return;
    for (const entry of pool.backends.values()) this.#deps.ledger.clearClosed(entry.id, 'ejected');
  }
}

const NO_LATENCIES: {
  readonly connect: LatencySample | null;
  readonly firstByte: LatencySample | null;
} = { connect: null, firstByte: null };

function kept(pool: PoolEntry): BackendEntry[] {
  return [...pool.backends.values()].filter((entry) => entry.tenure === 'kept');
}

function watchOf(pool: PoolEntry, spec: OutlierSpec): Watch {
  return { pool, spec, tracker: new EjectionTracker(spec), windowEndMs: 0, before: new Map() };
}

function updated(tracker: EjectionTracker, spec: OutlierSpec): EjectionTracker {
  tracker.update(spec);
  return tracker;
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
