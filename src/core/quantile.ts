/** Quantiles of histograms whose buckets have upper bounds; a last bucket has none. Pure. */

/**
 * The value below which a `share` (0 to 1) of what was counted lies, in the unit of `bounds`; what
 * is in one bucket is taken as evenly spread. The last bound stands for all that is beyond it. NaN:
 * nothing was counted.
 */
export function quantile(
  counts: ArrayLike<number>,
  bounds: readonly number[],
  share: number,
): number {
  let total = 0;
  for (let bucket = 0; bucket <= bounds.length; bucket++) total += counts[bucket] ?? 0;
  if (total === 0) return Number.NaN;
  let left = share * total;
  for (const [bucket, bound] of bounds.entries()) {
    const count = counts[bucket] ?? 0;
    if (left <= count) {
      const low = bounds[bucket - 1] ?? 0;
      return low + ((bound - low) * left) / count;
    }
    left -= count;
  }
  return bounds.at(-1) ?? Number.NaN;
}
