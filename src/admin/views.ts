/**
 * What the admin endpoints show: plain values that the control plane keeps at hand. Reading a view
 * opens nothing and probes nothing. Times are wall-clock milliseconds since 1970.
 */
import type { BackendState } from '../core/backend_states.js';
import type { Deviation } from '../core/deviation.js';
import type { Cause, DatagramDrop, Ineligible } from '../core/outcome.js';
import type { SourceSnapshot } from '../core/source_snapshot.js';
import type { EngineName } from '../core/spec.js';

/** The control plane, as the endpoints see it. */
export interface AdminViews {
  /** Does every worker thread answer? It looks at nothing else. */
  live(): CheckView;
  /**
   * Is every listener (or the one that is named) open, with a pool behind it that can serve? No,
   * from the moment a stop begins.
   */
  ready(listener: string | null): CheckView;
  health(): HealthView;
  /** The same, where only what is asked for is looked at in full. */
  glance(): GlanceView;
  /** The Prometheus text, of the type `metricsType`. */
  metrics(): Promise<string>;
  readonly metricsType: string;
}

export interface CheckView {
  /** One sentence each; empty means yes. */
  readonly problems: readonly string[];
  /** What is worth knowing although there are none. */
  readonly notes?: readonly string[];
  /** What was asked about is not there; a problem as well. */
  readonly unknown?: true;
}

export interface HealthView {
  readonly phase: 'starting' | 'serving' | 'leaving' | 'stopping';
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
  readonly probes: ProbeRateView;
  /** What operators want instead of what is configured: the level of the log, clients denied. */
  readonly overrides: readonly Deviation[];
  readonly listeners: readonly ListenerView[];
  readonly pools: readonly PoolView[];
}

/** Over all listeners, since the start; for rates take two. */
export interface TrafficView {
  readonly sessionsActive: number;
  readonly sessionsTotal: number;
  readonly refusedTotal: number;
  readonly bytesInTotal: number;
  readonly bytesOutTotal: number;
}

/** Probes of all pools. */
export interface ProbeRateView {
  /** What the intervals ask for. */
  readonly wantedPerSecond: number;
  /** `probes_per_second`; 0 is no limit. */
  readonly allowedPerSecond: number;
  /** 1 where the limit is kept without it; 2: every interval is twice as long. */
  readonly stretch: number;
}

export interface ListenerView {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  /** With the real ports. */
  readonly addresses: readonly string[];
  /** Its own: of those that no route takes; '': they are refused. */
  readonly pool: string;
  /** All that it may lead to. */
  readonly pools: readonly string[];
  readonly state: ListenerState;
  /** A sentence; '' where the state says all. */
  readonly reason: string;
  readonly sinceWallMs: number;
  readonly sessions: number;
  readonly maxSessions: number;
  /** Clients that were turned away, by reason, since the start; the most frequent first. */
  readonly refused: readonly CountView[];
  /** Of UDP: datagrams that went nowhere. */
  readonly dropped: readonly CountView[];
}

export interface CountView {
  readonly reason: Cause | DatagramDrop;
  readonly count: number;
}

export type ListenerState = 'open' | 'full' | 'failed' | 'closing';

/**
 * up: backends serve. backup: only backups do. panic: too few are well, so all are used. full: the
 * next session queues or is refused until a place is free. unproven: no probe has ended yet.
 */
export type PoolState = 'up' | 'backup' | 'panic' | 'full' | 'unproven' | 'down' | 'leaving';

export interface PoolView {
  readonly name: string;
  readonly policy: string;
  /** Kind of probe: `tcp`, `postgres` … */
  readonly probe: string;
  readonly state: PoolState;
  readonly reason: string;
  readonly sinceWallMs: number;
  readonly queueLength: number;
  /** 0: no queue */
  readonly queueSize: number;
  /** Sessions that got no backend of this pool, by reason, since the start. */
  readonly refused: readonly CountView[];
  readonly evenness: Evenness;
  /** The hold of an operator, where there is one. */
  readonly overrides: readonly Deviation[];
  readonly backends: readonly BackendView[];
  /** Where backends come from beside the file. */
  readonly discovery: readonly SourceSnapshot[];
}

/** A pool without a word on each of its backends: their number does not make it dear. */
export interface PoolSummary extends Omit<PoolView, 'backends' | 'discovery'> {
  /** At its backends now. */
  readonly sessions: number;
  /** How many it has. */
  readonly backends: number;
  /** Of them, those that may get the next session. */
  readonly eligible: number;
}

/** What a page needs of all that there is; of thousands of backends it shows some in full. */
export interface GlanceView extends Omit<HealthView, 'pools' | 'probes' | 'overrides'> {
  readonly check: CheckView;
  readonly pools: readonly PoolGlance[];
}

export interface PoolGlance extends Pick<PoolView, 'name' | 'state'> {
  readonly backends: readonly BackendGlance[];
  /** In full, but for its backends. */
  summary(): PoolSummary;
}

export interface BackendGlance
  extends Pick<BackendView, 'name' | 'address' | 'state' | 'eligible' | 'reason' | 'active'> {
  /** The same backend in full: twenty times the time of a glance. */
  view(): BackendView;
}

/** The daemon as a whole. */
export interface StatusView
  extends Omit<HealthView, 'listeners' | 'pools' | 'probes' | 'overrides'> {
  /**
   * What `live` and `ready` have, and what an operator shall see first although both may be well.
   */
  readonly check: CheckView;
  readonly listeners: number;
  readonly pools: number;
  readonly backends: number;
  readonly eligible: number;
  /** The first of those that do not serve as usual, each a sentence. */
  readonly notes: readonly string[];
  /** How many do not. */
  readonly noted: number;
}

/** Over the backends that serve; null: fewer than two of them have any. */
export interface Evenness {
  /** Sessions a unit of weight. */
  readonly load: Spread | null;
  /** Medians of the last half minute. */
  readonly firstByteMs: Spread | null;
  /** Shares of dials and sessions, 0 to 1, of the last half minute. */
  readonly failures: Spread | null;
}

export interface Spread {
  readonly greatest: number;
  readonly median: number;
  /** Which one has the greatest. */
  readonly backend: string;
}

export interface BackendView {
  readonly name: string;
  readonly address: string;
  readonly state: BackendState;
  /** Can it get the next session? An `up` backend cannot as an idle backup, or with weight 0. */
  readonly eligible: boolean;
  /** Why not, as a word; null where it is eligible. */
  readonly cause: Ineligible | 'unresolved' | null;
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
  /** null: none has ended yet, or it is not probed (any more). */
  readonly lastProbe: ProbeView | null;
  /** What operators want instead of what is configured. */
  readonly overrides: readonly Deviation[];
}

export interface ProbeView {
  /** standby: it answers as it should, in another role than its pool wants. */
  readonly result: 'passed' | 'standby' | 'failed';
  readonly atWallMs: number;
  readonly latencyMs: number;
  /** For people; may be ''. */
  readonly detail: string;
}
