/** What every kind of load has in common for the code that runs and measures it. */
import type { Histogram } from './histogram.js';

export interface Workload {
  /** Makes the load flow: connections are there afterwards. */
  begin(): void;
  /** Goes on with it for a moment. */
  turn(): void;
  /** What has been done since `begin`; only grows. */
  readonly count: number;
  readonly failures: number;
  /** Of exchanges since it was cleared; null: not measured. */
  readonly latency: Histogram | null;
  /** Ends all of it; sockets are closed soon after. */
  end(): void;
}
