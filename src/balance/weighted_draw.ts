/**
 * Draws among the eligible in proportion to effective weight, without replacement and without
 * allocation. Weights change with slow start at any time, so nothing is prepared ahead (an alias
 * table would be stale): one pass adds the weights up, and a draw walks to its share. While all
 * weights are equal, which is the common case, a draw is a single index.
 */
import { below, type Random } from '../core/random.js';
import { eligibleAt } from './load.js';
import type { Choice } from './policy.js';

export class WeightedDraw {
  #total = 0;
  #equal = true;

  /** Reads the weights; before the draws of each choice. */
  weigh(choice: Choice): void {
    const { eligible, eligibleCount, weight } = choice;
    const first = weight[eligibleAt(choice, 0)] ?? 0;
    let total = 0;
    let equal = true;
    for (let position = 0; position < eligibleCount; position++) {
      const share = weight[eligible[position] ?? 0] ?? 0;
      total += share;
      if (share !== first) equal = false;
    }
    this.#total = total;
    this.#equal = equal;
  }

  /** A position among the eligible; weight 0 is never drawn unless there is nothing else. */
  draw(choice: Choice, random: Random): number {
    if (this.#equal) return below(random, choice.eligibleCount);
    return walk(choice, random.next() * this.#total, -1);
  }

  /** Another position than `taken`, in proportion to the remaining weights; needs two eligible. */
  drawOther(choice: Choice, random: Random, taken: number): number {
    const rest = this.#total - (choice.weight[eligibleAt(choice, taken)] ?? 0);
    if (!this.#equal) return walk(choice, random.next() * rest, taken);
    const position = below(random, choice.eligibleCount - 1);
    return position < taken ? position : position + 1;
  }
}

/** The position whose share of the summed weights holds `at`; `taken` counts as weight 0. */
function walk(choice: Choice, at: number, taken: number): number {
  const { eligible, eligibleCount, weight } = choice;
  let left = at;
  // Rounding may carry `at` past the last share, and then the last one with a share is meant.
  let last = taken === 0 ? 1 : 0;
  for (let position = 0; position < eligibleCount; position++) {
    const share = weight[eligible[position] ?? 0] ?? 0;
    if (position === taken || share <= 0) continue;
    if (left < share) return position;
    left -= share;
    last = position;
  }
  return last;
}
