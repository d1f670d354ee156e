/** What the board of backends is made of, and what it notifies. */
import type { Cause } from '../core/outcome.js';
import type { VerdictEvent } from '../health/target.js';
import type { Ledger } from '../pool/ledger.js';
import type { BackendProbesDeps } from './backend_probes.js';
import type { Ejections } from './ejections.js';
import type { BackendEntry, Inventory } from './inventory.js';
import type { Rebalances } from './rebalances.js';
import type { SourceWatchDeps } from './source_watch.js';
import type { KnownBackends } from './upgrade/known_backends.js';

export interface BackendBoardDeps extends Omit<BackendProbesDeps, 'sourceFor'> {
  readonly ledger: Ledger;
  readonly inventory: Inventory;
  readonly missingHosts: SourceWatchDeps['missingHosts'];
  readonly ejections: Ejections;
  /** Every worker looks again at its waiting sessions. */
  readonly ring: () => void;
  readonly rebalances: Rebalances;
  /** Those of other processes, too. */
  readonly endSessions: (entry: BackendEntry, cause: Cause, spanMs: number) => void;
  /** What drains have not ended at these yet may stay. */
  readonly spareSessions: (entries: readonly BackendEntry[]) => void;
  /** The same, in other processes. */
  readonly spareBefore: (entry: BackendEntry) => void;
  /** A backend that left has no sessions any more. */
  readonly drained: (entry: BackendEntry) => void;
  /** The state of `entry` has just changed: for what shows since when. */
  readonly changed: (entry: BackendEntry) => void;
  /** Its probes have found it so: for other processes. */
  readonly found: (entry: BackendEntry, state: VerdictEvent['state']) => void;
  /** What the process before this one knew. */
  readonly before: KnownBackends;
  /** `entry` is in that state for longer than this process is there. */
  readonly wasBefore: (entry: BackendEntry, state: string, sinceWallMs: number) => void;
  /** Runs what may change many of them. */
  readonly together: (change: () => void) => void;
}
