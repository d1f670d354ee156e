/**
 * Slow start: a backend that came back gets its share by and by. Weight and cap rise with the time
 * since it came up (HAProxy moves them only at its checks), so that a cold cache or a backend that
 * died of load is not met by all new sessions at once: with least-connections it would be, for it
 * has none yet.
 */

/** Each step is a change that every worker follows; a hundredth of a share makes no difference. */
const STEPS = 100;
/** Envoy's min_weight_percent: with less, a backend of a quiet pool would see no session at all. */
export const SLOW_START_FLOOR = 0.1;

/**
 * The share of weight and cap, SLOW_START_FLOOR to 1 in hundredths. `sinceUpMs` is the time since
 * the backend came up after it had been down or ejected; null when it never was: at the start of
 * the process all are new, and a ramp for all would only take capacity away. `windowMs` 0 = no slow
 * start.
 */
export function slowStartShare(sinceUpMs: number | null, windowMs: number): number {
  if (sinceUpMs === null || sinceUpMs >= windowMs) return 1;
  const share = Math.floor((STEPS * sinceUpMs) / windowMs) / STEPS;
  return Math.max(SLOW_START_FLOOR, share);
}

/** `cap` (0 = none, which it stays) at `share`; never so low that no session could come. */
export function rampedCap(cap: number, share: number): number {
  return cap === 0 ? 0 : Math.max(1, Math.floor(cap * share));
}
