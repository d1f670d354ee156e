/** What sessions and flows have in common about time. */
import { jittered, type Random } from '../core/random.js';

/** `max_session_age` varies by this share: what began together does not end together. */
const AGE_JITTER = 0.1;
/** What long sessions and flows have moved reaches the metrics this often. */
export const SWEEP_MS = 250;

/** When `max_session_age` ends what begins at `startedMs`; Infinity: never. */
export function expiryMs(startedMs: number, maxSessionAgeMs: number, random: Random): number {
  if (maxSessionAgeMs === 0) return Number.POSITIVE_INFINITY;
  return startedMs + jittered(random, maxSessionAgeMs, AGE_JITTER);
}
