/** How many sessions there are, and waiting for them to end by themselves. */

import type { ListenerId } from '../core/brand.js';
import type { Clock, Timers } from '../core/clock.js';
import type { Ledger } from '../pool/ledger.js';
import { countOfListener } from '../pool/other_processes.js';
import type { Inventory } from './inventory.js';

const POLL_MS = 10;

/** Resolves when `sessions` says 0, or at `untilMs`. */
export function untilEmpty(
  sessions: () => number,
  untilMs: number,
  { clock, timers }: { readonly clock: Clock; readonly timers: Timers },
): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (sessions() === 0 || clock.nowMs() >= untilMs) return resolve();
      timers.after(POLL_MS, look);
    };
    look();
  });
}

/** TCP sessions and UDP flows of this process that are not over, of all listeners or of one. */
export function sessionsOf(
  { listeners }: Inventory,
  ledger: Ledger,
  listener: string | null,
): number {
  let sum = 0;
  for (const { key, id } of listeners.values()) {
    if (listener === null || listener === key) sum += sessionsHere(ledger, id);
  }
  return sum;
}

function sessionsHere(ledger: Ledger, listener: ListenerId): number {
  return ledger.listenerActive(listener) - ledger.others.elsewhere(countOfListener(listener));
}
