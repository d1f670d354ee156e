/**
 * A probe waits for room in the full backlog of a unix socket, as sessions do (core/backlog.ts): a
 * burst of clients must not make a backend that serves all of them look dead.
 */

import { FIRST_PAUSE_MS, nextPauseMs } from '../../core/backlog.js';
import type { Timers } from '../../core/clock.js';
import type { CutOffSignal } from '../../core/cut_off.js';
import type { ProbeResult } from '../probe.js';
import { BacklogFull, failureResult, ProbeFailed } from './failed.js';

/** Makes `attempt` again, after a pause each, for as long as it throws BacklogFull. */
export async function whenThereIsRoom(
  attempt: () => Promise<ProbeResult>,
  signal: CutOffSignal,
  timers: Timers,
): Promise<ProbeResult> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = nextPauseMs(pauseMs)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof BacklogFull)) throw error;
    }
    await pause(pauseMs, signal, timers);
    if (signal.aborted) return failureResult(new ProbeFailed('timeout', TIMED_OUT));
  }
}

const TIMED_OUT = "timed out waiting for room in the socket's backlog";

/** Ends early when `signal` aborts. */
function pause(delayMs: number, signal: CutOffSignal, timers: Timers): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = timers.after(delayMs, over);
    function over(): void {
      timer.cancel();
      signal.removeEventListener('abort', over);
      resolve();
    }
    signal.addEventListener('abort', over);
  });
}
