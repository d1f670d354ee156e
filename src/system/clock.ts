/**
 * The real clock. `performance.now()` counts from each thread's own start, so an offset to
 * `process.hrtime` (CLOCK_MONOTONIC, the same for every thread and for systemd) is taken at load.
 */
// The global of that name is a getter, and each session reads the clock some times.
import { performance } from 'node:perf_hooks';
import type { Clock } from '../core/clock.js';

const offsetMs = largestOffsetMs(5);

export const systemClock: Clock = {
  nowMs: () => offsetMs + performance.now(),
  wallMs: () => Date.now(),
};

/** CLOCK_MONOTONIC in whole microseconds, as systemd wants it in MONOTONIC_USEC. */
export function monotonicUsec(): bigint {
  return process.hrtime.bigint() / 1000n;
}

/** Processor time of all threads of the process since its start. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** A thread that loses its CPU between the two readings measures too little: the most is right. */
function largestOffsetMs(samples: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < samples; i++) {
    const monotonicMs = Number(process.hrtime.bigint()) / 1e6;
    largest = Math.max(largest, monotonicMs - performance.now());
  }
  return largest;
}
