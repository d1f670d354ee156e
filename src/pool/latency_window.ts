/**
 * Medians of what a backend took in a span of time, from cumulative histograms read at both ends.
 */
import type { HistogramValues } from '../core/series.js';

export interface LatencySample {
  readonly medianMs: number;
  readonly count: number;
}

/**
 * The median of what came between `before` and `after`; null when nothing did. Inside a bucket
 * values are taken as evenly spread; what lies above the last bound counts as the last bound.
 */
export function latencyBetween(
  before: HistogramValues | null,
  after: HistogramValues,
  boundsSeconds: readonly number[],
): LatencySample | null {
  const counts = after.counts.map((count, bucket) => count - (before?.counts[bucket] ?? 0));
  const count = counts.reduce((sum, inBucket) => sum + inBucket, 0);
  if (count <= 0) return null;
  let left = count / 2;
  for (const [bucket, bound] of boundsSeconds.entries()) {
    const inBucket = counts[bucket] ?? 0;
    if (left <= inBucket) {
      const low = boundsSeconds[bucket - 1] ?? 0;
      return { medianMs: 1000 * (low + ((bound - low) * left) / inBucket), count };
    }
    left -= inBucket;
  }
  return { medianMs: 1000 * (boundsSeconds.at(-1) ?? 0), count };
}

/** The middle value, or the mean of the two in the middle; null of nothing. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}
