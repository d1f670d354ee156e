/**
 * Counts of latencies in log-linear buckets (as HdrHistogram has them): 256 to each power of two,
 * so that a percentile is off by less than 0.4 %.
 */

const SUB_BITS = 8;
const SUB = 1 << SUB_BITS;
/** Up to 2^40 ns, some 18 minutes. */
const POWERS = 40 - SUB_BITS;

export class Histogram {
  readonly #counts = new Float64Array(SUB * (POWERS + 1));
  #total = 0;
  #greatest = 0;

  get total(): number {
    return this.#total;
  }

  /** Nanoseconds, exact. */
  get greatest(): number {
    return this.#greatest;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#greatest = 0;
  }

  record(nanoseconds: number): void {
    const at = bucketOf(nanoseconds);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#total++;
    if (nanoseconds > this.#greatest) this.#greatest = nanoseconds;
  }

  /** The least value that a `share` (0 to 1) of all does not exceed, in nanoseconds; NaN: none. */
  quantile(share: number): number {
    if (this.#total === 0) return Number.NaN;
    let left = Math.max(1, Math.ceil(share * this.#total));
    for (const [at, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return middleOf(at);
    }
    return this.#greatest;
  }
}

/** Below SUB each nanosecond has its own bucket; above, each power of two has SUB of them. */
function bucketOf(nanoseconds: number): number {
  const value = Math.max(0, Math.floor(nanoseconds));
  if (value < SUB) return value;
  const power = Math.min(POWERS, Math.floor(Math.log2(value)) - SUB_BITS + 1);
  const scaled = Math.floor(value / 2 ** (power - 1));
  return power * SUB + Math.min(SUB - 1, scaled - SUB);
}

function middleOf(bucket: number): number {
  const power = Math.floor(bucket / SUB);
  if (power === 0) return bucket;
  const width = 2 ** (power - 1);
  return (SUB + (bucket % SUB)) * width + width / 2;
}
