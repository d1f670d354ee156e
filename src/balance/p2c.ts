/**
 * The power of two choices: of two random backends the less loaded one. It is nearly as level as
 * looking at all of them (the longest queue is log log n instead of log n), and many workers that
 * choose at the same instant do not herd onto one backend, as they do with the global minimum.
 * M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001.
 *
 * The draws are weighted and without replacement: with two backends both are drawn, and p2c is
 * least-connections. With replacement (as in Envoy) a quarter of the choices between two would take
 * the worse one.
 */
import type { Random } from '../core/random.js';
import { describeLoad, eligibleAt, leastBy, loadOf } from './load.js';
import type { Choice, Member, Policy } from './policy.js';
import { WeightedDraw } from './weighted_draw.js';

export class P2c implements Policy {
  readonly name = 'p2c';
  readonly needs = { clientKey: false, latency: false };
  readonly #draw = new WeightedDraw();
  #members: readonly Member[];

  constructor(members: readonly Member[]) {
    this.#members = members;
  }

  choose(choice: Choice, random: Random): number {
    if (choice.eligibleCount === 1) return eligibleAt(choice, 0);
    this.#draw.weigh(choice);
    const position = this.#draw.draw(choice, random);
    const first = eligibleAt(choice, position);
    const second = eligibleAt(choice, this.#draw.drawOther(choice, random, position));
    // A tie stays with the first draw, which the seed made.
    return loadOf(choice, second) < loadOf(choice, first) ? second : first;
  }

  explain(choice: Choice): string {
    const least = leastBy(choice, (member) => loadOf(choice, member));
    const found = describeLoad(this.#members, choice, least);
    if (choice.eligibleCount === 1) return `${found} is the only eligible backend.`;
    const how =
      choice.eligibleCount === 2 ? 'the lesser load of both' : 'the lesser load of two draws';
    return `Takes ${how} among ${choice.eligibleCount} eligible backends; the least is ${found}.`;
  }

  update(members: readonly Member[]): void {
    this.#members = members;
  }
}
