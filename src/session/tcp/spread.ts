/**
 * Gentle closing: spreads ends over a span, so that clients do not all come back in one instant.
 */
import type { Random } from '../../core/random.js';

/**
 * Offsets in ms for `count` closings over `spanMs`, ascending: one in each of `count` equal parts
 * of the span, at a random place inside its part. So the rate is even and nothing is in step.
 */
export function spreadOffsets(count: number, spanMs: number, random: Random): number[] {
  return Array.from({ length: count }, (_, index) => (spanMs * (index + random.next())) / count);
}
