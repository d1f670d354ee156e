/**
 * The least load over all eligible backends; ties go round. The count moves when a backend is
 * chosen, not when its dial succeeds, so that a burst spreads instead of herding.
 */
import type { Random } from '../core/random.js';
import { describeLoad, eligibleAt, leastBy, loadOf } from './load.js';
import type { Choice, Member, Policy } from './policy.js';
import { Recency } from './recency.js';

export class LeastConnections implements Policy {
  readonly name = 'least-connections';
  readonly needs = { clientKey: false, latency: false };
  readonly #recency: Recency;
  #members: readonly Member[];

  constructor(members: readonly Member[]) {
    this.#members = members;
    this.#recency = new Recency(members);
  }

  choose(choice: Choice, random: Random): number {
    const recency = this.#recency;
    recency.admit(random);
    let best = eligibleAt(choice, 0);
    let bestLoad = loadOf(choice, best);
    for (let position = 1; position < choice.eligibleCount; position++) {
      const member = eligibleAt(choice, position);
      const load = loadOf(choice, member);
      if (load < bestLoad || (load === bestLoad && recency.isBefore(member, best))) {
        best = member;
        bestLoad = load;
      }
    }
    recency.chosen(best);
    return best;
  }

  explain(choice: Choice): string {
    const least = leastBy(choice, (member) => loadOf(choice, member));
    const found = describeLoad(this.#members, choice, least);
    const leastLoad = loadOf(choice, least);
    const ties = choice.eligible
      .subarray(0, choice.eligibleCount)
      .filter((member) => loadOf(choice, member) === leastLoad).length;
    return ties === 1
      ? `Takes the least load of ${choice.eligibleCount} eligible backends: ${found}.`
      : `Goes round ${ties} of ${choice.eligibleCount} eligible backends that tie, as ${found}.`;
  }

  update(members: readonly Member[]): void {
    this.#recency.update(members);
    this.#members = members;
  }
}
