/** Reports when the whole process stood still: it explains a gap in the log. */
import type { Clock } from '../core/clock.js';
import type { Log } from '../observe/log.js';

/** How old the processor time is, at most, from which that of a standstill is reckoned. */
const NOTE_MS = 250;

/**
 * `clock`, whose first reading after a standstill writes a line; for the main thread. Why nothing
 * went on is not known. What is: `cpuMs`, the processor time of the process so far, which stands
 * still too when the process was stopped, and goes on when it was busy by itself.
 */
export function tellingStandstills(clock: Clock, cpuMs: () => number, log: Log): Clock {
  let toldMs = 0;
  let notedMs = Number.NEGATIVE_INFINITY;
  let notedCpuMs = 0;
  const stillMs = (): number => clock.stillMs?.() ?? 0;
  return {
    nowMs: () => {
      const nowMs = clock.nowMs();
      const goneMs = stillMs() - toldMs;
      if (goneMs <= 0 && nowMs - notedMs < NOTE_MS) return nowMs;
      const beforeMs = notedCpuMs;
      notedCpuMs = cpuMs();
      notedMs = nowMs;
      if (goneMs > 0) {
        toldMs += goneMs;
        log.event('stood-still', {
          duration_ms: goneMs,
          cpu_ms: Math.round(notedCpuMs - beforeMs),
        });
      }
      return nowMs;
    },
    stillMs,
    rests: (forMs) => clock.rests?.(forMs),
    wallMs: () => clock.wallMs(),
  };
}
