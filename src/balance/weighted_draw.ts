/**
 * Draws among candidates in proportion to effective weight, without replacement. Weights change
 * with slow start at any time, and candidates come and go: an alias table would have to be made
 * anew each time, a tree of sums follows in O(log n) and is drawn from in as much.
 *
 * Mostly all candidates weigh the same. Then any of them is as good as any other: a position is
 * drawn, and the tree, whose paths of thousands of backends are in no cache, is not looked at.
 */
import { below, type Random } from '../core/random.js';
import type { Candidates } from './policy.js';
import { SumTree } from './sum_tree.js';

export class WeightedDraw {
  readonly #candidates: Candidates;
  readonly #weights: SumTree;
  /** By weight above 0: how many candidates have it. */
  readonly #alike = new Map<number, number>();
  #isEven = false;
  /** Where the last draw among even ones has found its member. */
  #drawnAt = 0;

  /** `members`: of the pool, candidates or not. */
  constructor(members: number, candidates: Candidates) {
    this.#candidates = candidates;
    const weights = new Float64Array(members);
    for (let position = 0; position < candidates.count; position++) {
      const member = candidates.at(position);
      const weight = candidates.weightOf(member);
      weights[member] = weight;
      this.#count(weight, 1);
    }
    this.#weights = new SumTree(members);
    this.#weights.fill(weights);
    this.#look();
  }

  /** All candidates have one weight, above 0. */
  get isEven(): boolean {
    return this.#isEven;
  }

  /** `member` came, went, or weighs something else. */
  follow(member: number): void {
    const candidates = this.#candidates;
    const weight = candidates.has(member) ? candidates.weightOf(member) : 0;
    this.#count(this.#weights.shareOf(member), -1);
    this.#count(weight, 1);
    this.#weights.set(member, weight);
    this.#look();
  }

  /** One of one candidate or more; weight 0 is never drawn unless there is nothing else. */
  draw(random: Random): number {
    const candidates = this.#candidates;
    const { total } = this.#weights;
    if (total > 0 && !this.#isEven) return this.#weights.find(random.next() * total);
    this.#drawnAt = below(random, candidates.count);
    return candidates.at(this.#drawnAt);
  }

  /** Another one than `taken`, in proportion to the remaining weights; of two or more. */
  drawOther(random: Random, taken: number): number {
    if (this.#isEven) return this.#anyBut(random, taken);
    const weights = this.#weights;
    const share = weights.shareOf(taken);
    const rest = weights.total - share;
    if (rest <= 0) return this.#anyBut(random, taken);
    // As if the share of `taken` were not there: what stands behind it moves up.
    const point = random.next() * rest;
    const other = weights.find(point < weights.before(taken) ? point : point + share);
    return other === taken ? this.#drawWithout(random, taken) : other;
  }

  /** Where fractions were rounded so that the share of `taken` was met all the same. */
  #drawWithout(random: Random, taken: number): number {
    const weights = this.#weights;
    const share = weights.shareOf(taken);
    weights.set(taken, 0);
    const other = weights.find(random.next() * weights.total);
    weights.set(taken, share);
    return other;
  }

  /** What stands behind `taken` moves up, if the last draw has found it there. */
  #anyBut(random: Random, taken: number): number {
    const candidates = this.#candidates;
    const drawn = below(random, candidates.count - 1);
    const takenAt = this.#drawnAt;
    // An earlier draw may have been among more: there is nothing behind the last one.
    if (takenAt < candidates.count && candidates.at(takenAt) === taken) {
      return candidates.at(drawn < takenAt ? drawn : drawn + 1);
    }
    const other = candidates.at(drawn);
    return other === taken ? candidates.at(candidates.count - 1) : other;
  }

  #count(weight: number, change: 1 | -1): void {
    if (weight === 0) return;
    const count = (this.#alike.get(weight) ?? 0) + change;
    if (count === 0) this.#alike.delete(weight);
    else this.#alike.set(weight, count);
  }

  #look(): void {
    this.#isEven = false;
    if (this.#alike.size !== 1) return;
    for (const count of this.#alike.values()) this.#isEven = count === this.#candidates.count;
  }
}
