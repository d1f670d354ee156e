/** What the exposition reads when Prometheus asks: the control plane implements it. */
import type { BackendState } from '../core/backend_states.js';
import type { SeriesId } from '../core/brand.js';
import type { OverrideKind } from '../core/deviation.js';
import type { SeriesReader } from '../core/series.js';

/** What one set of labels counts; no two rows have the same labels. */
export interface SeriesRow {
  /** Added up. More than one where a backend's address changed and the old one still drains. */
  readonly series: readonly SeriesId[];
  /** What rows of the same labels had counted before, by column; null: there were none. */
  readonly past: Float64Array | null;
  /** `any`: of several listeners. */
  readonly protocol: 'tcp' | 'udp' | 'any';
  /**
   * `backend` is '' where none was reached, `listener` where there was no room to count each one.
   * The same object at each call is formatted only once.
   */
  readonly labels: {
    readonly listener: string;
    readonly pool: string;
    readonly backend: string;
  };
}

export interface BackendSample {
  /** As above: the same object at each call. */
  readonly labels: { readonly pool: string; readonly backend: string };
  readonly up: boolean;
  readonly eligible: boolean;
  /** 0 to 1000 */
  readonly weightEffective: number;
  /** 0: none */
  readonly maxConnections: number;
}

export interface PlacesSample {
  readonly labels: BackendSample['labels'];
  readonly active: number;
}

export interface DiscoverySample {
  readonly labels: { readonly pool: string; readonly source: string };
  readonly ageSeconds: number;
  readonly held: number;
  readonly failures: ReadonlyMap<string, number>;
}

export interface PoolSample {
  readonly pool: string;
  readonly queueLength: number;
  /** An operator lets its new sessions wait. */
  readonly held: boolean;
  /** Over the backends that serve; null: fewer than two have any. */
  readonly load: SpreadSample | null;
  readonly firstByteSeconds: SpreadSample | null;
  readonly failures: SpreadSample | null;
}

export interface SpreadSample {
  readonly greatest: number;
  readonly median: number;
}

/** How many backends of a pool are in a state. */
export interface StateSample {
  readonly pool: string;
  readonly state: BackendState;
  readonly count: number;
}

/** Of one kind. */
export interface OverrideSample {
  readonly kind: OverrideKind;
  readonly count: number;
  /** Since 1970; null: there is none. */
  readonly oldestSeconds: number | null;
}

export interface MetricsSource {
  readonly series: SeriesReader;
  /** One row per listener and pool, for "no backend", and one per pair that had a session. */
  rows(): readonly SeriesRow[];
  /** What rows of the pool had counted when they were given back, by column. */
  pastOfPool(pool: string, column: number): number;
  /** How often rows were given back: a page that was made meanwhile may have mixed them up. */
  givenBack(): number;
  /** Histograms per listener and backend, and not per pool. */
  backendHistograms(): boolean;
  /** No two have the same labels. */
  backends(): readonly BackendSample[];
  /** Places taken at every backend that has sessions or is in the file; no two labels alike. */
  places(): readonly PlacesSample[];
  /** No two have the same labels. */
  discoveries(): readonly DiscoverySample[];
  pools(): readonly PoolSample[];
  /** Every state of every pool, with those that leave and those without an address. */
  backendStates(): readonly StateSample[];
  /** Every kind. */
  overrides(): readonly OverrideSample[];
  workers(): readonly { readonly worker: number; readonly heartbeatAgeSeconds: number }[];
  configHash(): string;
  readonly build: { readonly version: string; readonly engine: string };
  process(): {
    readonly cpuSeconds: number;
    readonly residentBytes: number;
    /** Seconds since 1970. */
    readonly startedAtSeconds: number;
  };
}
