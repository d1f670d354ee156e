/**
 * Draws among candidates in proportion to effective weight, without replacement. Weights change
 * with slow start at any time, and candidates come and go: an alias table would have to be made
 * anew each time, a tree of sums follows in O(log n) and is drawn from in as much.
 */
import { below, type Random } from '../core/random.js';
import type { Candidates } from './policy.js';
import { SumTree } from './sum_tree.js';

export class WeightedDraw {
  readonly #candidates: Candidates;
  readonly #weights: SumTree;

  /** `members`: of the pool, candidates or not. */
  constructor(members: number, candidates: Candidates) {
    this.#candidates = candidates;
    const weights = new Float64Array(members);
    for (let position = 0; position < candidates.count; position++) {
      const member = candidates.at(position);
      weights[member] = candidates.weightOf(member);
    }
    this.#weights = new SumTree(members);
    this.#weights.fill(weights);
  }

  /** `member` came, went, or weighs something else. */
  follow(member: number): void {
    const candidates = this.#candidates;
    this.#weights.set(member, candidates.has(member) ? candidates.weightOf(member) : 0);
  }

  /** One of one candidate or more; weight 0 is never drawn unless there is nothing else. */
  draw(random: Random): number {
    const { total } = this.#weights;
    if (total > 0) return this.#weights.find(random.next() * total);
    return this.#candidates.at(below(random, this.#candidates.count));
  }

  /** Another one than `taken`, in proportion to the remaining weights; of two or more. */
  drawOther(random: Random, taken: number): number {
    const weights = this.#weights;
    const share = weights.shareOf(taken);
    const rest = weights.total - share;
    if (rest <= 0) return this.#anyBut(random, taken);
    // As if the share of `taken` were not there: whoever stands behind it moves up.
    const point = random.next() * rest;
    const other = weights.find(point < weights.before(taken) ? point : point + share);
    return other === taken ? this.#drawWithout(random, taken) : other;
  }

  /** Where fractions were rounded so that the share of `taken` was met all the same. */
  #drawWithout(random: Random, taken: number): number {
    const weights = this.#weights;
    weights.set(taken, 0);
    const other = weights.find(random.next() * weights.total);
    this.follow(taken);
    return other;
  }

  #anyBut(random: Random, taken: number): number {
    const candidates = this.#candidates;
    const drawn = candidates.at(below(random, candidates.count - 1));
    return drawn === taken ? candidates.at(candidates.count - 1) : drawn;
  }
}
