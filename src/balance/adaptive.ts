/**
 * Load, latency and failures in one cost: load × latency ÷ (share of successes)². Among the best
 * three one is drawn in proportion to 1/cost, so that workers with the same figures do not all take
 * the same backend, and figures that are a moment old do no harm.
 *
 * The square: a failure costs another attempt, and besides a backend that fails fast looks idle and
 * quick, so it would draw sessions like a hole. Unknown latency counts as the mean of the known.
 */
import type { Random } from '../core/random.js';
import { Costs, costOf } from './costs.js';
import { loadOf, memberName, onlyOne, round } from './load.js';
import type { Candidates, Chooser, Policy, PolicyExplanation, PolicyMember } from './policy.js';
import { Recency, type RecencyFollower } from './recency.js';

const BEST = 3;

export class Adaptive implements Policy {
  readonly name = 'adaptive';
  readonly needs = { clientKey: false, latency: true, counts: true };
  readonly #recency: Recency;
  #members: readonly PolicyMember[];

  constructor(members: readonly PolicyMember[]) {
    this.#members = members;
    this.#recency = new Recency(members);
  }

  over(candidates: Candidates): Chooser {
    const chooser = new AdaptiveChooser(this.#members, candidates, this.#recency);
    this.#recency.followedBy(chooser);
    return chooser;
  }

  update(members: readonly PolicyMember[]): void {
    this.#recency.update(members);
    this.#members = members;
  }
}

class AdaptiveChooser implements Chooser, RecencyFollower {
  readonly #members: readonly PolicyMember[];
  readonly #candidates: Candidates;
  readonly #recency: Recency;
  readonly #order: Costs;
  /** Scratch: the best so far, least cost first. */
  readonly #best = new Int32Array(BEST);
  readonly #costs = new Float64Array(BEST);

  constructor(members: readonly PolicyMember[], candidates: Candidates, recency: Recency) {
    this.#members = members;
    this.#candidates = candidates;
    this.#recency = recency;
    this.#order = new Costs(members.length, candidates, recency, BEST);
  }

  choose(_: Uint8Array, random: Random): number {
    this.#recency.admit(random);
    const kept = this.#order.best(this.#best, this.#costs);
    const chosen = drawOfBest(this.#best, this.#costs, kept, random);
    this.#recency.chosen(chosen);
    return chosen;
  }

  explain(_: Uint8Array, random: Random): PolicyExplanation {
    const order = this.#recency.foreseen(random);
    const [best, costs] = [new Int32Array(BEST), new Float64Array(BEST)];
    const anew = new Costs(this.#members.length, this.#candidates, order, BEST);
    const kept = anew.best(best, costs);
    return {
      member: drawOfBest(best, costs, kept, random),
      sentence: this.#sentence(best[0] ?? 0),
    };
  }

  scoreOf(member: number): number | null {
    const latencyMs = this.#candidates.latencyMsOf(member);
    return latencyMs === 0 ? null : costOf(this.#candidates, member, latencyMs);
  }

  #sentence(least: number): string {
    const candidates = this.#candidates;
    const { count } = candidates;
    const ms = candidates.latencyMsOf(least);
    const latency = ms > 0 ? `${round(ms)} ms` : 'latency not known yet';
    const failed = `${round(100 * candidates.failureRateOf(least))} % failed`;
    const found = `${memberName(this.#members, least)} (load ${loadOf(candidates, least).toFixed(2)}, ${latency}, ${failed})`;
    if (count === 1) return onlyOne(found);
    const among = Math.min(BEST, count);
    return `Draws among the best ${among} of ${count} eligible backends; the best is ${found}.`;
  }

  added(member: number): void {
    this.#order.look(member);
  }
  removed(member: number): void {
    this.#order.remove(member);
  }
  weighed(member: number): void {
    this.#order.look(member);
  }
  counted(member: number): void {
    this.#order.look(member);
  }
  measured(member: number): void {
    this.#order.look(member);
  }
  wasChosen(member: number): void {
    this.#order.moved(member);
  }
  wereAdmitted(): void {
    this.#order.order();
  }
}

/** One of the first `kept` of `best`, in proportion to 1/cost. */
function drawOfBest(best: Int32Array, costs: Float64Array, kept: number, random: Random): number {
  let total = 0;
  for (let place = 0; place < kept; place++) total += 1 / (costs[place] ?? 1);
  let at = random.next() * total;
  for (let place = 0; place < kept; place++) {
    at -= 1 / (costs[place] ?? 1);
    if (at < 0) return best[place] ?? 0;
  }
  return best[0] ?? 0;
}
