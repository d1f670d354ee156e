/** How much of answers may be on its way to readers at a time, over all connections. */
import { STALLED_MS } from './admission.js';
import type { HttpConnection } from './connection.js';

/** One exposition of 1000 backends has 6 MB. */
export const MAX_BYTES_IN_FLIGHT = 64 * 1_048_576;
/** An answer below this is given whatever else is on its way. */
const SMALL_BYTES = 65_536;

/**
 * Whether `bytes` more may be on their way. A reader that takes nothing loses its answer first.
 */
export function makeRoom(served: Iterable<HttpConnection>, bytes: number, nowMs: number): boolean {
  if (bytes < SMALL_BYTES) return true;
  const stalledMs = nowMs - STALLED_MS;
  const sending = [...served]
    .flatMap((one) => (one.phase.at === 'sending' ? [{ one, movedMs: one.phase.movedMs }] : []))
    .sort((a, b) => a.movedMs - b.movedMs);
  let inFlight = sending.reduce((sum, { one }) => sum + one.unsentBytes, 0);
  for (const { one, movedMs } of sending) {
    if (inFlight + bytes <= MAX_BYTES_IN_FLIGHT || movedMs > stalledMs) break;
    inFlight -= one.unsentBytes;
    one.cut();
  }
  return inFlight + bytes <= MAX_BYTES_IN_FLIGHT;
}
