/**
 * Real timers. None keeps the process alive by itself, unless it is asked to: sockets and workers
 * do. What has happened comes before what is due: a process that did not run for a while handles
 * the waiting events first, and an answer that came in time is not late.
 */
import type { Timer, Timers } from '../core/clock.js';

/** Above 2^31 - 1 ms Node.js fires at once, so longer delays are waited for in pieces. */
const LONGEST_DELAY_MS = 2_147_483_647;

export const systemTimers: Timers = {
  after: (delayMs, callback) => after(delayMs, callback, 'lets the process end'),
};

/** For what a caller waits for: the process does not end meanwhile. */
export const holdingTimers: Timers = {
  after: (delayMs, callback) => after(delayMs, callback, 'holds the process'),
};

/**
 * Keeps the process alive, which would end in silence when nothing but such timers is left, until
 * what it returns is called.
 */
export function holdProcess(): () => void {
  const handle = setInterval(() => {}, LONGEST_DELAY_MS);
  return () => clearInterval(handle);
}

/** Resolves after `ms`; the process lives until then. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function after(
  delayMs: number,
  callback: () => void,
  meanwhile: 'lets the process end' | 'holds the process',
): Timer {
  let leftMs = delayMs;
  const arm = (): NodeJS.Timeout => {
    const pieceMs = Math.min(leftMs, LONGEST_DELAY_MS);
    leftMs -= pieceMs;
    const timeout = setTimeout(fire, pieceMs);
    return meanwhile === 'holds the process' ? timeout : timeout.unref();
  };
  let immediate: NodeJS.Immediate | undefined;
  const fire = (): void => {
    if (leftMs > 0) handle = arm();
    else immediate = setImmediate(callback);
  };
  let handle = arm();
  return {
    cancel: () => {
      clearTimeout(handle);
      clearImmediate(immediate);
    },
  };
}
