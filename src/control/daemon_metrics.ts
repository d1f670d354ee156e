/**
 * The control plane's side of the exposition: which rows there are, and what the ledger says now.
 */

import type { SeriesId } from '../core/brand.js';
import type { Clock } from '../core/clock.js';
import type { SeriesReader } from '../core/series.js';
import type { BackendSample, MetricsSource, SeriesRow } from '../observe/metrics_source.js';
import type { Daemon } from './daemon.js';
import type { SharedState } from './shared_state.js';

export class DaemonMetrics implements MetricsSource {
  readonly series: SeriesReader;
  readonly build: { readonly version: string; readonly engine: string };
  readonly #shared: SharedState;
  readonly #clock: Clock;
  readonly #configHash: () => string;
  readonly #startedAtSeconds: number;
  #daemon: Daemon | null = null;
  /** Rows are the same objects until the inventory changes: labels are formatted once. */
  readonly #rows = new Map<string, SeriesRow>();

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
    const inventory = this.#daemon?.inventory;
    if (inventory === undefined) return [];
    const rows = new Map<string, Wanted>();
    const listeners = new Map([...inventory.listeners.values()].map((entry) => [entry.id, entry]));
    for (const { series, spec } of listeners.values()) {
      collect(rows, spec.protocol, { listener: spec.name, pool: spec.pool, backend: '' }, series);
    }
    for (const backend of inventory.backends()) {
      const names = { pool: backend.pool.key, backend: backend.spec.name };
      for (const { listener, series } of inventory.seriesOf(backend)) {
        const spec = listeners.get(listener)?.spec;
        if (spec === undefined) continue;
        collect(rows, spec.protocol, { listener: spec.name, ...names }, series);
      }
    }
    return [...rows].map(([key, row]) => this.#known(key, row));
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
        const health = ledger.health(entry.id);
        samples.push({
          labels: { pool: pool.key, backend: entry.spec.name },
          up: health === 'up' || health === 'standby',
          eligible: standing.reasons[index] === null,
          weightEffective: ledger.weight(entry.id),
          active: ledger.active(entry.id),
          maxConnections: ledger.cap(entry.id),
        });
      }
    }
    return samples;
  }

  pools(): readonly { readonly pool: string; readonly queueLength: number }[] {
    return [...(this.#daemon?.inventory.pools.values() ?? [])].map((pool) => ({
      pool: pool.key,
      queueLength: this.#shared.ledger.queued(pool.id),
    }));
  }

  workers(): readonly { readonly worker: number; readonly heartbeatAgeSeconds: number }[] {
    const now = this.#clock.nowMs();
    return (this.#daemon?.fleet.ids() ?? []).map((worker) => ({
      worker,
      heartbeatAgeSeconds: (now - this.#shared.vitals.lastBeatMs(worker)) / 1000,
    }));
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

  /** The row object of the call before where it says the same. */
  #known(key: string, wanted: Wanted): SeriesRow {
    const known = this.#rows.get(key);
    if (known !== undefined && String(known.series) === String(wanted.series)) return known;
    this.#rows.set(key, wanted);
    return wanted;
  }
}

interface Wanted extends SeriesRow {
  readonly series: SeriesId[];
}

function collect(
  rows: Map<string, Wanted>,
  protocol: SeriesRow['protocol'],
  labels: SeriesRow['labels'],
  series: SeriesId,
): void {
  const key = `${protocol}\0${labels.listener}\0${labels.pool}\0${labels.backend}`;
  const row = rows.get(key);
  if (row === undefined) rows.set(key, { series: [series], protocol, labels });
  else row.series.push(series);
}
