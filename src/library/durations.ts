/** How long requests took lately: for the percentile after which a hedge begins. */

/** What is remembered, and how many of them make a percentile worth something. */
const KEPT = 512;
const ENOUGH = 20;
/** Sorting is for this many new ones. */
const STRIDE = 32;

export class Durations {
  readonly #tookMs = new Float64Array(KEPT);
  #count = 0;
  #sorted: Float64Array = new Float64Array(0);
  #sortedAt = 0;

  add(tookMs: number): void {
    this.#tookMs[this.#count++ % KEPT] = tookMs;
  }

  /** `percent`: 0 to 100. null: too few requests so far. */
  percentileMs(percent: number): number | null {
    const count = Math.min(this.#count, KEPT);
    if (count < ENOUGH) return null;
    if (this.#sorted.length === 0 || this.#count - this.#sortedAt >= STRIDE) {
      this.#sorted = this.#tookMs.slice(0, count).sort();
      this.#sortedAt = this.#count;
    }
    const at = Math.ceil((percent / 100) * this.#sorted.length) - 1;
    return this.#sorted[Math.max(0, at)] ?? null;
  }
}
