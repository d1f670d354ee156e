/** A limit of time on work that can be given up. */
import type { Timers } from './clock.js';

/** `work`, whose signal aborts after `limitMs`. It resolves or rejects when the work does. */
export async function within<T>(
  timers: Timers,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = timers.after(limitMs, () => limit.abort());
  try {
    return await work(limit.signal);
  } finally {
    timer.cancel();
  }
}
