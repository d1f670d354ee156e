/**
 * Medians and what is known about them. The interval is that of order statistics: the number of
 * samples below the true median is binomial with p = 1/2, whatever their distribution (H. A. David
 * and H. N. Nagaraja, Order Statistics, 3rd edition, section 7.1).
 */

/** At least this sure; so few samples that they cannot be give no interval. */
export const CONFIDENCE = 0.95;

export interface Estimate {
  readonly median: number;
  /** Null: too few samples (fewer than six). */
  readonly interval: Interval | null;
  readonly samples: number;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export function estimate(values: readonly number[]): Estimate {
  return { median: median(values), interval: medianInterval(values), samples: values.length };
}

/** NaN of no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** The narrowest symmetric interval of order statistics that covers the median surely enough. */
export function medianInterval(values: readonly number[]): Interval | null {
  const sorted = values.toSorted((a, b) => a - b);
  const count = sorted.length;
  let best: Interval | null = null;
  // P(fewer than `rank` samples are below the median), at both ends.
  let tail = 0;
  for (let rank = 1; rank <= count / 2; rank++) {
    tail += binomialHalf(count, rank - 1);
    if (1 - 2 * tail < CONFIDENCE) break;
    best = { low: sorted[rank - 1] ?? Number.NaN, high: sorted[count - rank] ?? Number.NaN };
  }
  return best;
}

/** P(exactly k of n tosses of a fair coin are heads). */
function binomialHalf(n: number, k: number): number {
  let probability = 2 ** -n;
  for (let i = 0; i < k; i++) probability *= (n - i) / (i + 1);
  return probability;
}
