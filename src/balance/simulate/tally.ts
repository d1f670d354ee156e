/** What is measured in one run. */

export class SimulatedTally {
  readonly #timesMs: Float64Array;
  #finished = 0;
  #greatest = 0;
  #mean = 0;
  /** Sessions that found no backend. */
  refused = 0;
  /** Dials that a dead backend refused before health noticed. */
  failedDials = 0;
  /** Sessions that ended because their backend died. */
  lost = 0;

  constructor(sessions: number) {
    this.#timesMs = new Float64Array(sessions);
  }

  /** A session was placed: looks at how even the pool is now (arrivals see time averages). */
  placed(active: Int32Array, weight: Float64Array): void {
    let greatest = 0;
    let activeSum = 0;
    let weightSum = 0;
    for (let index = 0; index < active.length; index++) {
      const sessions = active[index] ?? 0;
      const share = weight[index] ?? 0;
      if (share === 0) continue;
      activeSum += sessions;
      weightSum += share;
      if (sessions > greatest * share) greatest = sessions / share;
    }
    this.#greatest += greatest;
    this.#mean += activeSum / weightSum;
  }

  /** A session was served to its end, `timeMs` after it came. */
  finished(timeMs: number): void {
    this.#timesMs[this.#finished++] = timeMs;
  }

  get served(): number {
    return this.#finished;
  }

  /**
   * The greatest load a unit of weight over the mean one, averaged over time: 1 is perfectly even.
   */
  get imbalance(): number {
    return this.#mean === 0 ? 1 : this.#greatest / this.#mean;
  }

  /** From arrival to end; 0 when no client was served. */
  get meanMs(): number {
    let sum = 0;
    for (let at = 0; at < this.#finished; at++) sum += this.#timesMs[at] ?? 0;
    return this.#finished === 0 ? 0 : sum / this.#finished;
  }

  /** Nearest rank; `shares` from 0 to 1; 0 when no client was served. */
  quantilesMs(shares: readonly number[]): number[] {
    const sorted = this.#timesMs.slice(0, this.#finished).sort();
    return shares.map((share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
  }
}
