/**
 * The pause before a further try: exponential with full jitter (M. Brooker, "Exponential Backoff
 * And Jitter", AWS Architecture Blog, 2015), so that requests that failed together do not come back
 * together.
 */
import type { Random } from '../core/random.js';

const FIRST_MS = 25;
const LAST_MS = 1_000;

/** `failures`: tries so far, 1 or more. */
export function backoffMs(failures: number, random: Random): number {
  return random.next() * Math.min(LAST_MS, FIRST_MS * 2 ** (failures - 1));
}
