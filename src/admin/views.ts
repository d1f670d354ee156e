/**
 * What the admin endpoints show: plain values that the control plane keeps at hand. Reading a view
 * opens nothing and probes nothing. Times are wall-clock milliseconds since 1970.
 */
import type { EngineName } from '../core/spec.js';

/** The control plane, as the endpoints see it. */
export interface AdminViews {
  /** Does every worker thread answer? It looks at nothing else. */
  live(): Verdict;
  /**
   * Is every listener open, with an eligible backend behind it? No, from the moment a stop begins.
   */
  ready(): Verdict;
  health(): HealthView;
  /** The Prometheus text, of the type `metricsType`. */
  metrics(): Promise<string>;
  readonly metricsType: string;
}

export interface Verdict {
  /** One sentence each; empty means yes. */
  readonly problems: readonly string[];
}

export interface HealthView {
  readonly phase: 'starting' | 'serving' | 'stopping';
  readonly version: string;
  readonly engine: EngineName;
  /** Why this engine. */
  readonly engineReason: string;
  readonly workers: number;
  readonly pid: number;
  readonly nowWallMs: number;
  readonly startedWallMs: number;
  readonly configHash: string;
  /** When the configuration in use was read. */
  readonly configuredWallMs: number;
  readonly traffic: TrafficView;
  readonly listeners: readonly ListenerView[];
  readonly pools: readonly PoolView[];
}

/** Over all listeners, since the start; whoever wants rates takes two. */
export interface TrafficView {
  readonly sessionsActive: number;
  readonly sessionsTotal: number;
  readonly refusedTotal: number;
  readonly bytesInTotal: number;
  readonly bytesOutTotal: number;
}

export interface ListenerView {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  /** With the real ports. */
  readonly addresses: readonly string[];
  readonly pool: string;
  readonly state: 'opening' | 'open' | 'full' | 'failed' | 'closing';
  /** A sentence; '' where the state says all. */
  readonly reason: string;
  readonly sinceWallMs: number;
  readonly sessions: number;
  readonly maxSessions: number;
}

export interface PoolView {
  readonly name: string;
  readonly policy: string;
  /** Kind of probe: `tcp`, `postgres` … */
  readonly probe: string;
  readonly state: 'up' | 'panic' | 'down' | 'leaving';
  readonly reason: string;
  readonly sinceWallMs: number;
  readonly queueLength: number;
  /** 0: no queue */
  readonly queueSize: number;
  readonly backends: readonly BackendView[];
}

/** In the order of what counts most: a backend that is drained and down is `drained`. */
export const BACKEND_STATES = [
  'leaving',
  'maintenance',
  'drained',
  'unresolved',
  'down',
  'ejected',
  'unproven',
  'up',
] as const;
export type BackendState = (typeof BACKEND_STATES)[number];

export interface BackendView {
  readonly name: string;
  readonly address: string;
  readonly state: BackendState;
  /** Can it get the next session? An `up` backend cannot at its cap, or with weight 0. */
  readonly eligible: boolean;
  /** Why the state is what it is, or why it is not eligible: a sentence. */
  readonly reason: string;
  readonly sinceWallMs: number;
  readonly active: number;
  /** As it counts now; 0: none */
  readonly maxConnections: number;
  readonly weight: number;
  /** As it counts now: slow start and degradation included. */
  readonly weightEffective: number;
  readonly backup: boolean;
  /** null: none has ended yet. */
  readonly lastProbe: ProbeView | null;
}

export interface ProbeView {
  readonly result: 'passed' | 'failed';
  readonly atWallMs: number;
  readonly latencyMs: number;
  /** For people; may be ''. */
  readonly detail: string;
}
