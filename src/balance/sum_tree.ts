/**
 * Shares that change one at a time and are drawn from: a binary tree of sums. A parent is always
 * made anew from its two children, so nothing drifts, whatever was added and taken away before.
 */

export class SumTree {
  /** Shares that fit; a power of two. */
  readonly #leaves: number;
  /** The root is 1, the children of node are 2 × node and the next one. */
  readonly #sums: Float64Array;

  constructor(size: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(1, size)));
    this.#sums = new Float64Array(2 * this.#leaves);
  }

  get total(): number {
    return this.#sums[1] ?? 0;
  }

  /** Makes `share` (0 or more) the one of `at`. O(log size). */
  set(at: number, share: number): void {
    const sums = this.#sums;
    let node = this.#leaves + at;
    sums[node] = share;
    for (node >>>= 1; node > 0; node >>>= 1) {
      sums[node] = (sums[2 * node] ?? 0) + (sums[2 * node + 1] ?? 0);
    }
  }

  /** Takes over all of `shares`. O(size). */
  fill(shares: Float64Array): void {
    const sums = this.#sums;
    sums.fill(0, this.#leaves);
    sums.set(shares, this.#leaves);
    for (let node = this.#leaves - 1; node > 0; node--) {
      sums[node] = (sums[2 * node] ?? 0) + (sums[2 * node + 1] ?? 0);
    }
  }

  /** What stands before the share of `at`. O(log size). */
  before(at: number): number {
    const sums = this.#sums;
    let before = 0;
    for (let node = this.#leaves + at; node > 1; node >>>= 1) {
      if ((node & 1) === 1) before += sums[node - 1] ?? 0;
    }
    return before;
  }

  shareOf(at: number): number {
    return this.#sums[this.#leaves + at] ?? 0;
  }

  /**
   * Whose share holds `point`, 0 up to `total`, when all stand side by side. A share of 0 holds
   * nothing, also where rounding carries `point` past the last one; `total` must be above 0.
   */
  find(point: number): number {
    const sums = this.#sums;
    let rest = point;
    let node = 1;
    while (node < this.#leaves) {
      node *= 2;
      const left = sums[node] ?? 0;
      if (left > 0 && (rest < left || sums[node + 1] === 0)) continue;
      rest -= left;
      node++;
    }
    return node - this.#leaves;
  }
}
