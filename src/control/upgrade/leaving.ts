/**
 * A process whose place another one has taken: its sessions may run on for the `drain_timeout` of
 * their pools, then what is left is closed over `drain_spread`.
 */
import type { BackendId } from '../../core/brand.js';
import type { Clock, Timers } from '../../core/clock.js';
import type { Inventory } from '../inventory.js';

const POLL_MS = 100;
/** Sessions that had no backend by then: they waited, or were being dialled. */
const LATE_MS = 1_000;

export interface LeavingDeps {
  readonly inventory: Inventory;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly sessions: () => number;
  /** Called again and again until then. */
  readonly look: () => void;
  /** Ends what is at `backend`, spread over `spanMs`. */
  readonly endAt: (backend: BackendId, spanMs: number) => void;
  readonly endAll: () => void;
}

/** Resolves when no session is left. */
export function untilLeft(deps: LeavingDeps): Promise<void> {
  const { inventory, clock, timers, sessions, endAt, endAll } = deps;
  let longestMs = 0;
  for (const { spec, backends } of inventory.pools.values()) {
    const { drainTimeoutMs, drainSpreadMs } = spec;
    const ids = [...backends.values()].map(({ id }) => id);
    timers.after(drainTimeoutMs, () => {
      for (const id of ids) endAt(id, drainSpreadMs);
    });
    longestMs = Math.max(longestMs, drainTimeoutMs + drainSpreadMs);
  }
  timers.after(longestMs + LATE_MS, endAll);
  const untilMs = clock.nowMs() + longestMs + 2 * LATE_MS;
  return new Promise((resolve) => {
    const look = (): void => {
      deps.look();
      if (sessions() === 0 || clock.nowMs() >= untilMs) return resolve();
      timers.after(POLL_MS, look);
    };
    look();
  });
}
