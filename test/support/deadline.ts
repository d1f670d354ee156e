/**
 * The one place where tests know time: limits on waiting, polling where no event exists, pacing.
 */
import { performance } from 'node:perf_hooks';

/** How long a test waits for what must come, on a machine of two busy cores. */
export const PATIENCE_MS = 20_000;

/** Monotonic milliseconds. */
export function nowMs(): number {
  return performance.now();
}

/** The promise's value, or an error that names `what` after `limitMs`. */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  limitMs: number = PATIENCE_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`waited ${Math.round(limitMs)} ms in vain for: ${what}`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks again until the answer is not undefined: for states of other programs that announce nothing
 * (a replica has caught up, a counter has arrived). The last error is shown on failure.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  limitMs: number = PATIENCE_MS,
): Promise<T> {
  const until = nowMs() + limitMs;
  let last = 'no answer';
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (nowMs() > until) throw new Error(`waited ${limitMs} ms in vain for: ${what} (${last})`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Resolves when `delayMs` have passed; for what is about time itself (a paused reader, a rate). */
export function pass(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/**
 * Calls `act` `perSecond` times per second for `durationMs`, making up for late ticks, and resolves
 * with the number of calls. `act` gets the number of the call.
 */
export async function atRate(
  perSecond: number,
  durationMs: number,
  act: (index: number) => void,
): Promise<number> {
  const start = nowMs();
  let done = 0;
  for (;;) {
    const elapsed = Math.min(nowMs() - start, durationMs);
    const due = Math.floor((elapsed * perSecond) / 1000);
    while (done < due) act(done++);
    if (elapsed >= durationMs) return done;
    await pass(Math.max(1, 1000 / perSecond));
  }
}
