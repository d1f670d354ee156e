/** Tells when the whole process stood still: whoever reads the log wonders about the gap. */
import type { Clock } from '../core/clock.js';
import type { Log } from '../observe/log.js';

/** `clock`, whose first reading after a standstill writes a line; for the main thread. */
export function tellingStandstills(clock: Clock, log: Log): Clock {
  let toldMs = 0;
  const stillMs = (): number => clock.stillMs?.() ?? 0;
  return {
    nowMs: () => {
      const nowMs = clock.nowMs();
      const goneMs = stillMs() - toldMs;
      toldMs += goneMs;
      if (goneMs > 0) log.event('stood-still', { duration_ms: goneMs });
      return nowMs;
    },
    stillMs,
    wallMs: () => clock.wallMs(),
  };
}
