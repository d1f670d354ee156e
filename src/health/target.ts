/** What the checker watches, and what it reports about it. */
import { type Endpoint, type IpEndpoint, ipEndpoint } from '../core/endpoint.js';
import type { HealthSpec } from '../core/health_spec.js';
import type { ProbeFailure, ProbeResult, ProbeTarget } from './probe.js';
import type { TrackState } from './tracker.js';

export interface HealthTarget {
  /** Stable over updates: the same key at the same address keeps its state. */
  readonly key: string;
  readonly endpoint: Endpoint;
  readonly health: HealthSpec;
  /** The address of this machine to dial from; else the kernel chooses. */
  readonly source?: IpEndpoint | null;
  /**
   * The PROXY header that goes first where the backend wants one, with command LOCAL; else empty.
   */
  readonly prelude: Uint8Array;
}

/** Why a verdict is what it is: for "down" the kind of the last failure. */
export type VerdictReason = 'first-success' | 'recovered' | 'not-probed' | ProbeFailure;

/**
 * `standby`: the server answers as it should, but has another role than the pool wants. It serves
 * no client of this pool, and yet nothing is wrong with it.
 */
export type Verdict = 'up' | 'down' | 'standby';

export interface VerdictEvent {
  readonly key: string;
  readonly state: Verdict;
  readonly reason: VerdictReason;
  /** For people; holds no secret. May be empty for "up". */
  readonly detail: string;
  /** Wall clock. */
  readonly atMs: number;
}

export interface AttemptEvent {
  readonly key: string;
  readonly result: ProbeResult;
  readonly durationMs: number;
}

export interface ShareEvent {
  readonly key: string;
  /** Above 0, at most 1: the effective weight is multiplied by it. */
  readonly share: number;
}

/**
 * What the checker reports; the calls come one after the other, never from inside `update`'s
 * caller.
 */
export interface HealthEvents {
  onVerdict(event: VerdictEvent): void;
  onAttempt(event: AttemptEvent): void;
  /**
   * The first time that a target passes, and whenever its share changes. Comes before the verdict
   * of the same attempt, so that a backend comes up with its share.
   */
  onShare(event: ShareEvent): void;
}

/** The health of one target as people and pages see it. */
export interface TargetHealth {
  readonly key: string;
  readonly verdict: 'unproven' | Verdict;
  /** The exact state behind the verdict. */
  readonly state: TrackState;
  /** Wall clock: since when the verdict stands; for "unproven", since when it is watched. */
  readonly sinceMs: number;
  /** null while unproven. */
  readonly reason: VerdictReason | null;
  readonly detail: string;
  readonly share: number;
  /** null before the first attempt has ended. */
  readonly last: LastAttempt | null;
  readonly attempts: number;
  readonly failures: number;
  /** Verdicts so far, the first one included. */
  readonly transitions: number;
}

export interface LastAttempt {
  readonly result: ProbeResult;
  readonly durationMs: number;
  /** Wall clock, at its end. */
  readonly atMs: number;
}

/**
 * Where the probe goes. Another port is another service (Patroni's REST interface beside Postgres),
 * so the PROXY header that the backend's own port wants is not sent there. A path has no ports.
 */
export function probeTarget(target: HealthTarget): ProbeTarget {
  const { endpoint, health, source = null, prelude } = target;
  if (endpoint.kind === 'unix' || health.port === null || health.port === endpoint.port) {
    return { endpoint, source, prelude };
  }
  return {
    endpoint: ipEndpoint(endpoint.family, endpoint.host, health.port),
    source,
    prelude: new Uint8Array(0),
  };
}
