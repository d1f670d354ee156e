/** Waiting for sessions to end by themselves. */
import type { Clock, Timers } from '../core/clock.js';

const POLL_MS = 10;

/** Resolves when `sessions` says 0, or at `untilMs`. */
export function untilEmpty(
  sessions: () => number,
  untilMs: number,
  { clock, timers }: { readonly clock: Clock; readonly timers: Timers },
): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (sessions() === 0 || clock.nowMs() >= untilMs) return resolve();
      timers.after(POLL_MS, look);
    };
    look();
  });
}
