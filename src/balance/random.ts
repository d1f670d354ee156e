/**
 * A weighted random backend: no state, no herd; the base line that the other policies must beat.
 */
import type { Random } from '../core/random.js';
import { DrawingChooser } from './drawing_chooser.js';
import { memberName, onlyOne } from './load.js';
import type { Candidates, Chooser, Policy, PolicyMember } from './policy.js';

export class RandomPolicy implements Policy {
  readonly name = 'random';
  readonly needs = { clientKey: false, latency: false, counts: false };
  #members: readonly PolicyMember[];

  constructor(members: readonly PolicyMember[]) {
    this.#members = members;
  }

  over(candidates: Candidates): Chooser {
    return new RandomChooser(this.#members, candidates);
  }

  update(members: readonly PolicyMember[]): void {
    this.#members = members;
  }
}

class RandomChooser extends DrawingChooser {
  readonly #members: readonly PolicyMember[];

  constructor(members: readonly PolicyMember[], candidates: Candidates) {
    super(members.length, candidates);
    this.#members = members;
  }

  choose(_: Uint8Array, random: Random): number {
    return this.weighted.draw(random);
  }

  scoreOf(): null {
    return null;
  }

  protected sentence(chosen: number): string {
    const { count } = this.candidates;
    if (count === 1) return onlyOne(memberName(this.#members, chosen));
    return `Draws one of ${count} eligible backends at random, in proportion to weight.`;
  }
}
