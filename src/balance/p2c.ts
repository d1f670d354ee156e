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
import { DrawingChooser } from './drawing_chooser.js';
import { describeLoad, leastTold, loadOf, onlyOne } from './load.js';
import type { Candidates, Chooser, Policy, PolicyMember } from './policy.js';

export class P2c implements Policy {
  readonly name = 'p2c';
  readonly needs = { clientKey: false, latency: false, counts: false };
  #members: readonly PolicyMember[];

  constructor(members: readonly PolicyMember[]) {
    this.#members = members;
  }

  over(candidates: Candidates): Chooser {
    return new P2cChooser(this.#members, candidates);
  }

  update(members: readonly PolicyMember[]): void {
    this.#members = members;
  }
}

class P2cChooser extends DrawingChooser {
  readonly #members: readonly PolicyMember[];

  constructor(members: readonly PolicyMember[], candidates: Candidates) {
    super(members.length, candidates);
    this.#members = members;
  }

  choose(_: Uint8Array, random: Random): number {
    const { candidates, weighted } = this;
    if (candidates.count === 1) return candidates.at(0);
    const first = weighted.draw(random);
    const second = weighted.drawOther(random, first);
    // A tie stays with the first draw, which the seed made.
    if (weighted.isEven) {
      return candidates.activeOf(second) < candidates.activeOf(first) ? second : first;
    }
    return loadOf(candidates, second) < loadOf(candidates, first) ? second : first;
  }

  scoreOf(member: number): number {
    return loadOf(this.candidates, member);
  }

  protected sentence(chosen: number): string {
    const { candidates } = this;
    const { count } = candidates;
    const describe = (member: number) => describeLoad(this.#members, candidates, member);
    if (count === 1) return onlyOne(describe(chosen));
    const how = count === 2 ? 'the lesser load of both' : 'the lesser load of two draws';
    const cost = (member: number) => loadOf(candidates, member);
    const found = leastTold(candidates, cost, chosen, describe);
    return `Takes ${how} among ${count} eligible backends; ${found}.`;
  }
}
