/** The system's clock and timers, some times as fast: limits of seconds are those of a test. */
import type { Clock, Timers } from '../../src/core/clock.js';
import { systemClock } from '../../src/system/clock.js';
import { holdingTimers, systemTimers } from '../../src/system/timers.js';

export interface FastTime {
  readonly clock: Clock;
  readonly timers: Timers;
  /** For what a test waits for: the process does not end meanwhile. */
  readonly waits: Timers;
}

export function fastTime(times: number): FastTime {
  const startMs = systemClock.nowMs();
  return {
    clock: {
      nowMs: () => (systemClock.nowMs() - startMs) * times,
      wallMs: () => systemClock.wallMs(),
    },
    timers: { after: (delayMs, callback) => systemTimers.after(delayMs / times, callback) },
    waits: { after: (delayMs, callback) => holdingTimers.after(delayMs / times, callback) },
  };
}
