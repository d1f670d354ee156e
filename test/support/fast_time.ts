/** The system's clock and timers, so many times as fast: limits of seconds are those of a test. */
import type { Clock, Timers } from '../../src/core/clock.js';
import { systemClock } from '../../src/system/clock.js';
import { systemTimers } from '../../src/system/timers.js';

export function fastTime(times: number): { readonly clock: Clock; readonly timers: Timers } {
  const startMs = systemClock.nowMs();
  return {
    clock: {
      nowMs: () => (systemClock.nowMs() - startMs) * times,
      wallMs: () => systemClock.wallMs(),
    },
    timers: { after: (delayMs, callback) => systemTimers.after(delayMs / times, callback) },
  };
}
