/** How long a connection to the admin endpoint may take for what it does just now. */
import { unreachable } from '../core/assert.js';
import type { HttpConnection } from './connection.js';

/** From the first byte of a request, and from the connection to the first byte. */
export const REQUEST_TIMEOUT_MS = 5_000;
/** Between requests. */
const IDLE_TIMEOUT_MS = 60_000;
/** A reader that takes nothing for this long is cut off … */
export const STALL_TIMEOUT_MS = 5_000;
/** … and one that takes little, too. */
const SEND_TIMEOUT_MS = 30_000;
/** For a client that was answered for the last time, to read it. */
const ANSWER_LINGER_MS = 2_000;

/** Between two requests. */
export function isIdle({ phase, served }: HttpConnection): boolean {
  return phase.at === 'reading' && served && !phase.begun;
}

export function isOverdue(connection: HttpConnection, nowMs: number): boolean {
  const { phase, unsentBytes } = connection;
  switch (phase.at) {
    case 'making':
      return false;
    case 'reading':
      return nowMs - phase.sinceMs > (isIdle(connection) ? IDLE_TIMEOUT_MS : REQUEST_TIMEOUT_MS);
    case 'sending': {
      const isStalled = nowMs - phase.movedMs > STALL_TIMEOUT_MS;
      return isStalled || nowMs - phase.sinceMs > SEND_TIMEOUT_MS;
    }
    case 'following':
      return unsentBytes > 0 && nowMs - phase.movedMs > STALL_TIMEOUT_MS;
    case 'lingering':
      return nowMs - phase.sinceMs > ANSWER_LINGER_MS;
    default:
      return unreachable(phase);
  }
}
