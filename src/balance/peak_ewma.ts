/**
 * Latency that jumps to a peak at once and forgets it slowly: an exponentially weighted moving
 * average in time, as Finagle's and linkerd's balancers have it ("peak EWMA"). A backend that turns
 * slow is avoided after one bad session, not after the average has crept up.
 */

/**
 * The value after `sampleMs`, `elapsedMs` after the last one. `tauMs` is the time in which the
 * weight of the past falls to 1/e. A sample of 0 only forgets: so a value is read as of now, and a
 * backend that has been avoided for long is tried again.
 */
export function peakEwma(
  valueMs: number,
  sampleMs: number,
  elapsedMs: number,
  tauMs: number,
): number {
  if (sampleMs >= valueMs) return sampleMs;
  return sampleMs + (valueMs - sampleMs) * Math.exp(-Math.max(elapsedMs, 0) / tauMs);
}

/** The time constant: after this many ms without news, 63 % of the past is forgotten. */
export const DECAY_MS = 10_000;
