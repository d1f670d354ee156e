/**
 * The real clock. `performance.now()` counts from each thread's own start, so one offset to
 * `process.hrtime` (CLOCK_MONOTONIC, the same for every thread and for systemd) is taken at load.
 */
import type { Clock } from '../core/clock.js';

const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const systemClock: Clock = {
  nowMs: () => offsetMs + performance.now(),
  wallMs: () => Date.now(),
};

/** CLOCK_MONOTONIC in whole microseconds, as systemd wants it in MONOTONIC_USEC. */
export function monotonicUsec(): bigint {
  return process.hrtime.bigint() / 1000n;
}
