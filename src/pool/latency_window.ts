/** What a backend took in a span of time, from what buckets of a histogram counted in it. */
import { quantile } from '../core/quantile.js';

export interface LatencySample {
  readonly medianMs: number;
  readonly count: number;
}

/**
 * Of `counts`, by bucket; null where nothing was counted. Inside a bucket values are taken as
 * evenly spread; what lies above the last bound counts as the last bound.
 */
export function latencyOf(
  counts: ArrayLike<number>,
  boundsSeconds: readonly number[],
): LatencySample | null {
  let count = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) count += counts[bucket] ?? 0;
  if (count <= 0) return null;
  return { medianMs: 1_000 * quantile(counts, boundsSeconds, 0.5), count };
}

/** The middle value, or the mean of the two in the middle; null of nothing. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}
