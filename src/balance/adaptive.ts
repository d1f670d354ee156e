/**
 * Load, latency and failures in one cost: load × latency ÷ (share of successes)². Among the best
 * three one is drawn in proportion to 1/cost, so that workers with the same figures do not all take
 * the same backend, and figures that are a moment old do no harm.
 *
 * The square: a failure costs another attempt, and besides a backend that fails fast looks idle and
 * quick, so it would draw sessions like a hole. Unknown latency counts as the mean of the known.
 */
import type { Random } from '../core/random.js';
import { eligibleAt, leastBy, loadOf, nameOf, round } from './load.js';
import type { Choice, Member, Policy } from './policy.js';
import { Recency } from './recency.js';

const BEST = 3;
/**
 * A backend that only failed of late stays comparable, 400 times its cost, and is tried now and
 * then.
 */
const MIN_SUCCESS = 0.05;

export class Adaptive implements Policy {
  readonly name = 'adaptive';
  readonly needs = { clientKey: false, latency: true };
  readonly #recency: Recency;
  #members: readonly Member[];
  /** Scratch: the best so far, least cost first. */
  readonly #best = new Int32Array(BEST);
  readonly #costs = new Float64Array(BEST);

  constructor(members: readonly Member[]) {
    this.#members = members;
    this.#recency = new Recency(members);
  }

  choose(choice: Choice, random: Random): number {
    this.#recency.admit(random);
    const kept = this.#keepBest(choice);
    const chosen = this.#drawOfBest(kept, random);
    this.#recency.chosen(chosen);
    return chosen;
  }

  explain(choice: Choice): string {
    const mean = meanLatencyMs(choice);
    const least = leastBy(choice, (member) => costOf(choice, member, mean));
    const ms = choice.latencyMs[least] ?? 0;
    const latency = ms > 0 ? `${round(ms)} ms` : 'latency not known yet';
    const failed = `${round(100 * (choice.failureRate[least] ?? 0))} % failed`;
    const found = `${nameOf(this.#members, least)} (load ${loadOf(choice, least).toFixed(2)}, ${latency}, ${failed})`;
    if (choice.eligibleCount === 1) return `${found} is the only eligible backend.`;
    const among = Math.min(BEST, choice.eligibleCount);
    return `Draws among the best ${among} of ${choice.eligibleCount} eligible backends; the best is ${found}.`;
  }

  update(members: readonly Member[]): void {
    this.#recency.update(members);
    this.#members = members;
  }

  /** Insertion into three places; of equal costs the one that was chosen longest ago goes first. */
  #keepBest(choice: Choice): number {
    const best = this.#best;
    const costs = this.#costs;
    const mean = meanLatencyMs(choice);
    let kept = 0;
    for (let position = 0; position < choice.eligibleCount; position++) {
      const member = eligibleAt(choice, position);
      const cost = costOf(choice, member, mean);
      let place = kept;
      while (place > 0 && this.#goesBefore(cost, member, place - 1)) {
        if (place < BEST) {
          best[place] = best[place - 1] ?? 0;
          costs[place] = costs[place - 1] ?? 0;
        }
        place--;
      }
      if (place === BEST) continue;
      best[place] = member;
      costs[place] = cost;
      if (kept < BEST) kept++;
    }
    return kept;
  }

  #goesBefore(cost: number, member: number, place: number): boolean {
    const other = this.#costs[place] ?? 0;
    return (
      cost < other || (cost === other && this.#recency.isBefore(member, this.#best[place] ?? 0))
    );
  }

  #drawOfBest(kept: number, random: Random): number {
    let total = 0;
    for (let place = 0; place < kept; place++) total += 1 / (this.#costs[place] ?? 1);
    let at = random.next() * total;
    for (let place = 0; place < kept; place++) {
      at -= 1 / (this.#costs[place] ?? 1);
      if (at < 0) return this.#best[place] ?? 0;
    }
    return this.#best[0] ?? 0;
  }
}

function costOf(choice: Choice, member: number, meanMs: number): number {
  const success = Math.max(1 - (choice.failureRate[member] ?? 0), MIN_SUCCESS);
  const latencyMs = choice.latencyMs[member] ?? 0;
  return (loadOf(choice, member) * (latencyMs > 0 ? latencyMs : meanMs)) / success ** 2;
}

/** Over those that are known; 1 when none is, so that load and failures decide. */
function meanLatencyMs(choice: Choice): number {
  let sum = 0;
  let known = 0;
  for (let position = 0; position < choice.eligibleCount; position++) {
    const latencyMs = choice.latencyMs[eligibleAt(choice, position)] ?? 0;
    if (latencyMs === 0) continue;
    sum += latencyMs;
    known++;
  }
  return known === 0 ? 1 : sum / known;
}
