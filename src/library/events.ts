/** What a balancer reports, under the names that the daemon has for it (conf/events.md). */

interface OfBackend {
  /** The name of the balancer. */
  readonly pool: string;
  readonly backend: string;
}
interface Told extends OfBackend {
  readonly cause: string;
  readonly detail: string;
}
interface Demoted extends Told {
  /** What it had at that moment. */
  readonly sessions: number;
}
interface Ejected extends Told {
  readonly durationMs: number;
  readonly inARow: number;
}
interface Placed extends OfBackend {
  readonly address: string;
}
interface OfSource {
  /** The name of the balancer. */
  readonly pool: string;
  /** As `snapshot().sources` calls it. */
  readonly source: string;
}

interface Suspicious {
  /** Backends that the answer removes, of this many. */
  readonly removed: readonly string[];
  readonly backends: number;
  /** It counts when it has repeated for this long. */
  readonly limitMs: number;
}

/** By event, what its listeners get. */
export interface BalancerEvents {
  'backend-up': [Told];
  'backend-down': [Demoted];
  'backend-standby': [Demoted];
  'backend-degraded': [OfBackend & { readonly percent: number }];
  'backend-ejected': [Ejected];
  'backend-would-be-ejected': [Ejected];
  'ejection-spared': [Told];
  'backend-returned': [OfBackend & { readonly detail: string }];
  'backend-added': [Placed];
  'backend-removed': [Placed & { readonly sessions: number }];
  'backend-drained': [OfBackend];
  'probe-failed': [Told & { readonly durationMs: number }];
  'probe-note': [OfBackend & { readonly detail: string }];
  'discovery-failed': [OfSource & { readonly cause: string; readonly detail: string }];
  'discovery-empty': [OfSource];
  'discovery-suspicious': [OfSource & Suspicious];
  'discovery-contradicted': [OfSource & { readonly kept: readonly string[] }];
  'discovery-left-out': [OfSource & { readonly problems: readonly string[] }];
  'discovery-recovered': [OfSource & { readonly before: string }];
}

export type BalancerEvent = keyof BalancerEvents;

/** Reports one event. */
export type Tell = <E extends BalancerEvent>(event: E, what: BalancerEvents[E][0]) => void;
