/** A limit on waiting, beside the one who may give up altogether. */
import type { Timers } from '../core/clock.js';
import type { GiveUp } from './source.js';

/** `work` with a signal that aborts after `limitMs`, and when `giveUp` does. */
export async function limited<T>(
  timers: Timers,
  limitMs: number,
  giveUp: GiveUp,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const abort = (): void => limit.abort();
  const timer = timers.after(limitMs, abort);
  if (giveUp.aborted) abort();
  giveUp.addEventListener('abort', abort, { once: true });
  try {
    return await work(limit.signal);
  } finally {
    timer.cancel();
    giveUp.removeEventListener('abort', abort);
  }
}

/** Resolves after `delayMs`, or when `giveUp` aborts. */
export function pause(timers: Timers, delayMs: number, giveUp: GiveUp): Promise<void> {
  return new Promise((resolve) => {
    if (giveUp.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      timer.cancel();
      giveUp.removeEventListener('abort', done);
      resolve();
    };
    const timer = timers.after(delayMs, done);
    giveUp.addEventListener('abort', done, { once: true });
  });
}
