/**
 * p2c over expected waiting: peak-EWMA latency times the sessions that would share it, a unit of
 * weight (Finagle's and linkerd's "least loaded by peak EWMA").
 *
 * Nothing is known about a new backend, nor about one that was avoided until its latency decayed.
 * Finagle gives such a one a single request and a penalty until that returns; TCP sessions last, so
 * that would starve it. Here load alone decides while either latency is unknown: the new backend
 * gets its fair share of sessions at most, and the first connect makes it known.
 */
import type { Random } from '../core/random.js';
import { eligibleAt, leastBy, loadOf, nameOf, round } from './load.js';
import type { Choice, Member, Policy } from './policy.js';
import { WeightedDraw } from './weighted_draw.js';

export class LeastLatency implements Policy {
  readonly name = 'least-latency';
  readonly needs = { clientKey: false, latency: true };
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
    return isBetter(choice, second, first) ? second : first;
  }

  explain(choice: Choice): string {
    const { eligibleCount, latencyMs, active } = choice;
    const least = leastBy(choice, (member) => (latencyMs[member] ?? 0) * loadOf(choice, member));
    const name = nameOf(this.#members, least);
    const known = latencyMs[least] ?? 0;
    const found =
      known > 0
        ? `${name} (${round(known)} ms times load ${loadOf(choice, least).toFixed(2)})`
        : `${name} (latency not known yet, ${active[least] ?? 0} active; load alone decides)`;
    if (eligibleCount === 1) return `${found} is the only eligible backend.`;
    const how = eligibleCount === 2 ? 'both' : 'two draws';
    return `Takes the lesser wait of ${how} among ${eligibleCount} eligible backends; the least is ${found}.`;
  }

  update(members: readonly Member[]): void {
    this.#members = members;
  }
}

function isBetter(choice: Choice, candidate: number, than: number): boolean {
  const candidateLoad = loadOf(choice, candidate);
  const load = loadOf(choice, than);
  const candidateMs = choice.latencyMs[candidate] ?? 0;
  const ms = choice.latencyMs[than] ?? 0;
  if (candidateMs === 0 || ms === 0) return candidateLoad < load;
  return candidateMs * candidateLoad < ms * load;
}
