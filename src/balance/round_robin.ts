/**
 * Smooth weighted round-robin, as nginx has it (M. Dounin's commit "Upstream: smooth weighted
 * round-robin balancing", 2012): each turn every backend earns its weight, the richest is chosen
 * and pays what all earned. Shares are exact over a period (the sum of the weights), and a heavy
 * backend's turns are spread over it instead of clumped.
 *
 * Exact, whatever breaks the ties: the richest has more than 0, so after paying the total W it has
 * more than -W. After W turns each credit is a multiple of W, so none is negative, and as they sum
 * to 0 all of them are 0: each backend had exactly its weight in turns.
 */
import type { Random } from '../core/random.js';
import { carryByName } from './carry.js';
import { eligibleAt, nameOf, round } from './load.js';
import type { Choice, Member, Policy } from './policy.js';

/** Start credits differ by less than a weight and are sums of powers of two: no rounding, ever. */
const START_STEP = 2 ** -30;
const START_STEPS = 2 ** 20;

export class RoundRobin implements Policy {
  readonly name = 'round-robin';
  readonly needs = { clientKey: false, latency: false };
  #members: readonly Member[];
  /** By member: turns that it is owed, times the total; NaN = new, not yet drawn. */
  #credit: Float64Array;
  #total = 0;
  #hasFresh = true;

  constructor(members: readonly Member[]) {
    this.#members = members;
    this.#credit = new Float64Array(members.length).fill(Number.NaN);
  }

  choose(choice: Choice, random: Random): number {
    if (this.#hasFresh) this.#admit(random);
    const { weight } = choice;
    const credit = this.#credit;
    const total = totalWeight(choice);
    if (total !== this.#total) this.#rescale(total);
    let best = eligibleAt(choice, 0);
    let bestCredit = Number.NEGATIVE_INFINITY;
    for (let position = 0; position < choice.eligibleCount; position++) {
      const member = eligibleAt(choice, position);
      const earned = weight[member] ?? 0;
      if (earned <= 0) continue;
      const owed = (credit[member] ?? 0) + earned;
      credit[member] = owed;
      if (owed > bestCredit) {
        best = member;
        bestCredit = owed;
      }
    }
    credit[best] = (credit[best] ?? 0) - total;
    return best;
  }

  explain(choice: Choice): string {
    const total = totalWeight(choice);
    const scale = this.#total > 0 ? total / this.#total : 1;
    let best = eligibleAt(choice, 0);
    let bestCredit = Number.NEGATIVE_INFINITY;
    for (let position = 0; position < choice.eligibleCount; position++) {
      const member = eligibleAt(choice, position);
      const credit = this.#credit[member] ?? 0;
      const owed = (Number.isNaN(credit) ? 0 : credit * scale) + (choice.weight[member] ?? 0);
      if (owed > bestCredit) {
        best = member;
        bestCredit = owed;
      }
    }
    const share = `${round(choice.weight[best] ?? 0)} of ${round(total)} turns`;
    const who = nameOf(this.#members, best);
    return `The next turn among ${choice.eligibleCount} eligible backends is ${who}'s, which has ${share}.`;
  }

  update(members: readonly Member[]): void {
    this.#credit = carryByName(this.#members, this.#credit, members, Number.NaN);
    this.#members = members;
    this.#hasFresh = true;
  }

  /** New members start level, but in an order from the seed: ties do not follow the file. */
  #admit(random: Random): void {
    this.#hasFresh = false;
    for (let member = 0; member < this.#credit.length; member++) {
      if (!Number.isNaN(this.#credit[member])) continue;
      this.#credit[member] = -Math.floor(random.next() * START_STEPS) * START_STEP;
    }
  }

  /**
   * A credit means turns only in proportion to the total: without this, who owed much while a heavy
   * backend was there would wait for many turns when it left, and the others would clump.
   */
  #rescale(total: number): void {
    if (total <= 0) return;
    const credit = this.#credit;
    const factor = this.#total > 0 ? total / this.#total : 1;
    for (let member = 0; member < credit.length; member++) {
      credit[member] = (credit[member] ?? 0) * factor;
    }
    this.#total = total;
  }
}

function totalWeight(choice: Choice): number {
  let total = 0;
  for (let position = 0; position < choice.eligibleCount; position++) {
    total += choice.weight[eligibleAt(choice, position)] ?? 0;
  }
  return total;
}
