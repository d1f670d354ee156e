/**
 * The control plane's side of the exposition: which rows there are, and what the ledger says now.
 */

import { BACKEND_STATES, type BackendState } from '../core/backend_states.js';
import type { Clock } from '../core/clock.js';
import { OVERRIDE_KINDS, type OverrideKind } from '../core/deviation.js';
import type { SeriesReader } from '../core/series.js';
import type {
  BackendSample,
  DiscoverySample,
  MetricsSource,
  OverrideSample,
  PlacesSample,
  PoolSample,
  SeriesRow,
  SpreadSample,
  StateSample,
} from '../observe/metrics_source.js';
import { isAnswering } from '../pool/eligibility.js';
import type { Daemon } from './daemon.js';
import type { Override } from './desired/override.js';
import { namesOf } from './health_targets.js';
import type { BackendEntry } from './inventory.js';
import { isHeld } from './pool_words.js';
import type { SharedState } from './shared_state.js';

export class DaemonMetrics implements MetricsSource {
  readonly series: SeriesReader;
  readonly build: { readonly version: string; readonly engine: string };
  readonly #shared: SharedState;
  readonly #clock: Clock;
  readonly #configHash: () => string;
  readonly #startedAtSeconds: number;
  /** The same object for as long as the backend is there: its labels are formatted once. */
  readonly #labels = new WeakMap<BackendEntry, BackendSample['labels']>();
  #daemon: Daemon | null = null;

  constructor(
    shared: SharedState,
    clock: Clock,
    about: {
      readonly version: string;
      readonly engine: string;
      readonly configHash: () => string;
    },
  ) {
    this.series = shared.series;
    this.build = { version: about.version, engine: about.engine };
    this.#configHash = about.configHash;
    this.#shared = shared;
    this.#clock = clock;
    this.#startedAtSeconds = clock.wallMs() / 1000;
  }

  /** Set once the daemon is made, which itself counts through these metrics. */
  set daemon(daemon: Daemon) {
    this.#daemon = daemon;
  }

  rows(): readonly SeriesRow[] {
    return this.#daemon?.inventory.tallies.shown() ?? [];
  }

  pastOfPool(pool: string, column: number): number {
    return this.#daemon?.inventory.tallies.pastOfPool(pool, column) ?? 0;
  }

  givenBack(): number {
    return this.#daemon?.inventory.tallies.givenBack ?? 0;
  }

  backendHistograms(): boolean {
    return this.#daemon?.spec.admin.backendHistograms ?? false;
  }

  backends(): readonly BackendSample[] {
    const { ledger } = this.#shared;
    const daemon = this.#daemon;
    if (daemon === null) return [];
    const samples: BackendSample[] = [];
    for (const pool of daemon.inventory.pools.values()) {
      const { members, standing } = daemon.watch.pool(pool);
      for (const [index, entry] of members.entries()) {
        if (entry.tenure === 'leaving') continue;
        samples.push({
          labels: this.#labelsOf(entry),
          up: isAnswering(ledger, entry.id),
          eligible: standing.reasons[index] === null,
          weightEffective: ledger.weight(entry.id),
          maxConnections: ledger.cap(entry.id),
        });
      }
    }
    return samples;
  }

  /** Sessions of a backend that left count until they have ended. */
  places(): readonly PlacesSample[] {
    const { ledger } = this.#shared;
    const all: PlacesSample[] = [];
    for (const pool of this.#daemon?.inventory.pools.values() ?? []) {
      const places = new Map<string, PlacesSample>();
      for (const entry of pool.backends.values()) {
        const { name } = entry.spec;
        const active = ledger.active(entry.id) + (places.get(name)?.active ?? 0);
        if (active === 0 && entry.tenure !== 'kept') continue;
        places.set(name, { labels: this.#labelsOf(entry), active });
      }
      all.push(...places.values());
    }
    return all;
  }

  pools(): readonly PoolSample[] {
    const daemon = this.#daemon;
    if (daemon === null) return [];
    return [...daemon.inventory.pools.values()].map((pool) => {
      const { load, firstByteMs, failures } = daemon.evenness.of(daemon.watch.pool(pool));
      return {
        pool: pool.key,
        queueLength: this.#shared.ledger.queued(pool.id),
        held: isHeld(pool),
        load,
        firstByteSeconds: firstByteMs === null ? null : inSeconds(firstByteMs),
        failures,
      };
    });
  }

  backendStates(): readonly StateSample[] {
    const daemon = this.#daemon;
    if (daemon === null) return [];
    return [...daemon.inventory.pools.values()].flatMap((pool) => {
      const counts = new Map<BackendState, number>();
      for (const state of daemon.watch.statesOf(pool)) {
        counts.set(state, (counts.get(state) ?? 0) + 1);
      }
      return BACKEND_STATES.map((state) => {
        return { pool: pool.key, state, count: counts.get(state) ?? 0 };
      });
    });
  }

  overrides(): readonly OverrideSample[] {
    return countedByKind(this.#daemon?.desires.overrides ?? []);
  }

  discoveries(): readonly DiscoverySample[] {
    const nowMs = this.#clock.nowMs();
    return (this.#daemon?.discoveries.now() ?? []).map((one) => ({
      labels: { pool: one.pool, source: one.source },
      ageSeconds: (nowMs - (one.goodMs ?? one.sinceMs)) / 1000,
      held: one.held.length,
      failures: one.failures,
    }));
  }

  workers(): readonly { readonly worker: number; readonly heartbeatAgeSeconds: number }[] {
    return (this.#daemon?.fleet.ids() ?? []).map((worker) => {
      // In this order: a worker that beats after `now` would be of an age below 0.
      const beatMs = this.#shared.vitals.lastBeatMs(worker);
      return { worker, heartbeatAgeSeconds: Math.max(0, this.#clock.nowMs() - beatMs) / 1000 };
    });
  }

  configHash(): string {
    return this.#configHash();
  }

  process(): ReturnType<MetricsSource['process']> {
    const { user, system } = process.cpuUsage();
    return {
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
      startedAtSeconds: this.#startedAtSeconds,
    };
  }

  #labelsOf(entry: BackendEntry): BackendSample['labels'] {
    const known = this.#labels.get(entry);
    if (known !== undefined) return known;
    const labels = namesOf(entry);
    this.#labels.set(entry, labels);
    return labels;
  }
}

function countedByKind(all: readonly Override[]): readonly OverrideSample[] {
  const counts = new Map<OverrideKind, number>();
  const oldest = new Map<OverrideKind, number>();
  for (const { kind, sinceWallMs } of all) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    oldest.set(kind, Math.min(oldest.get(kind) ?? sinceWallMs, sinceWallMs));
  }
  return OVERRIDE_KINDS.map((kind) => {
    const sinceWallMs = oldest.get(kind);
    const oldestSeconds = sinceWallMs === undefined ? null : sinceWallMs / 1000;
    return { kind, count: counts.get(kind) ?? 0, oldestSeconds };
  });
}

function inSeconds({ greatest, median }: SpreadSample): SpreadSample {
  return { greatest: greatest / 1000, median: median / 1000 };
}
