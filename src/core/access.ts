/**
 * What is known about a session or flow when it is over: plain data that a worker hands to the main
 * thread, which writes the access line.
 */
import type { Cause, End } from './outcome.js';
import type { PathInfo } from './path_info.js';
import type { AccessLevel } from './spec.js';

export interface AccessRecord {
  /** As in `ctl sessions`; see session_ids.ts. */
  readonly id: string;
  readonly protocol: 'tcp' | 'udp';
  readonly listener: string;
  /**
   * The client's address and port as text; behind a trusted proxy the one that its header named.
   */
  readonly client: string;
  /** The address and port that the client connected to. */
  readonly local: string;
  /** null: none was chosen. */
  readonly pool: string | null;
  /** null: none was reached. */
  readonly backend: string | null;
  readonly policy: string | null;
  /** Names of backends that were dialled in vain, in order. */
  readonly tried: readonly string[];
  /** Time in the queue; null: it did not wait. */
  readonly queueMs: number | null;
  /** From the dial to the established connection; null: there was none. */
  readonly connectMs: number | null;
  /** From the established connection to the backend's first byte; null: there was none. */
  readonly firstByteMs: number | null;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Clients that were refused since the last line of this kind, without one of their own. */
  readonly unlogged: number;
  /** Of a sample: those of its kind that had no line since the last one; null: it is no sample. */
  readonly leftOut: number | null;
  /** What the kernel knows of the client's connection; null: it was not asked, or has no answer. */
  readonly clientPath: PathInfo | null;
  readonly backendPath: PathInfo | null;
  readonly end: End;
}

/** Deliberate ends: by the client, the backend's protocol, or the operator. */
const ORDERLY: ReadonlySet<Cause> = new Set<Cause>([
  'finished',
  'responses-done',
  'client-reset',
  'client-gone',
  'cancel-handed-on',
  'max-age',
  'drained',
  'rebalanced',
  'killed',
  'shutdown',
]);

/** Whether a session or flow gets an access line: `one of many` is for a sample to decide. */
export type LineRule = 'no' | 'yes' | 'one of many';

/**
 * `errors` leaves out those that went as they should: an orderly end and no failed dial (what
 * HAProxy's `dontlog-normal` leaves out). Flows have no end but idleness, so for UDP an idle
 * timeout is orderly.
 */
export function lineRule(
  level: AccessLevel,
  protocol: AccessRecord['protocol'],
  cause: Cause,
  failedDials: number,
): LineRule {
  if (level === 'all') return 'yes';
  if (level === 'off') return 'no';
  const orderly = ORDERLY.has(cause) || (protocol === 'udp' && cause === 'idle-timeout');
  if (!orderly || failedDials > 0) return 'yes';
  return level === 'errors' ? 'no' : 'one of many';
}
