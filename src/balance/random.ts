/**
 * A weighted random backend: no state, no herd; the base line that the other policies must beat.
 */
import type { Random } from '../core/random.js';
import { eligibleAt } from './load.js';
import type { Choice, Policy } from './policy.js';
import { WeightedDraw } from './weighted_draw.js';

export class RandomPolicy implements Policy {
  readonly name = 'random';
  readonly needs = { clientKey: false, latency: false };
  readonly #draw = new WeightedDraw();

  choose(choice: Choice, random: Random): number {
    this.#draw.weigh(choice);
    return eligibleAt(choice, this.#draw.draw(choice, random));
  }

  explain(choice: Choice): string {
    return `Draws one of ${choice.eligibleCount} eligible backends at random, in proportion to weight.`;
  }

  update(): void {}
}
