/** A limit on waiting, beside the caller's own signal to give up. */
import { setMaxListeners } from 'node:events';
import type { Timers } from '../core/clock.js';
import type { GiveUp } from './source.js';

/**
 * For questions that end together. As many may listen as are asked: Node.js takes the eleventh
 * listener for a leak, and warns.
 */
export function givingUp(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** `work` with a signal that aborts after `limitMs`, and when `giveUp` does. */
export async function withinLimit<T>(
  timers: Timers,
  limitMs: number,
  giveUp: GiveUp,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = givingUp();
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
export function endablePause(timers: Timers, delayMs: number, giveUp: GiveUp): Promise<void> {
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
