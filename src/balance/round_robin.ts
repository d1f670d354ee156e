/**
 * Weighted round-robin over all threads. A member of weight w has w turns in each unit of virtual
 * time, evenly spaced: at (k + phase) / w. The next turn is the first one after the last turn that
 * belongs to an eligible member. So shares are exact over a period (the sum of the weights), a
 * heavy member's turns are spread instead of clumped, and whoever is left out or comes back changes
 * nothing for the others: their turns stay where they are. (HAProxy orders servers by such a
 * position, too: src/lb_fwrr.c.)
 *
 * All that threads have to share is the last turn. It is moved by compare-and-swap: each turn is
 * given once, whichever worker asks.
 */
import type { Random } from '../core/random.js';
import { hashName } from './hash.js';
import { eligibleAt, nameOf, round } from './load.js';
import type { Choice, Member, Policy } from './policy.js';
import type { Turns } from './turns.js';

/** Weights count in thousandths, as in the ledger: fractions of whole numbers compare exactly. */
const SCALE = 1000;
/**
 * Phases are multiples of 2^-16. Then (k + phase) / weight is the quotient of two whole numbers
 * below 2^53, correctly rounded: equal turns are equal doubles. Those of configured weights that
 * differ do so by 1 / (1000 * 1000^2 * 2^16) = 1.5e-14 or more, which doubles up to 2 tell apart.
 */
const PHASE_STEPS = 2 ** 16;
/** Each next phase is so much further: any number of them are spread evenly (TAOCP 3, 6.4). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Others moved so many times while this thread looked: it takes what it found. */
const MOST_TRIES = 1_000;

export class RoundRobin implements Policy {
  readonly name = 'round-robin';
  readonly needs = { clientKey: false, latency: false };
  readonly #turns: Turns;
  #members: readonly Member[];
  /** By member; empty until the seed is known. */
  #phase = new Float64Array(0);
  #rank = new Int32Array(0);
  /** Scratch: the turn that was found last. */
  #at = 0;

  constructor(members: readonly Member[], turns: Turns) {
    this.#members = members;
    this.#turns = turns;
  }

  choose(choice: Choice, random: Random): number {
    const turns = this.#turns;
    const seed = turns.seed(random);
    if (this.#phase.length !== this.#members.length) this.#order(seed);
    for (let tries = 1; ; tries++) {
      const token = turns.read();
      const best = this.#next(choice, turns.at, turns.rank);
      const rank = this.#rank[best] ?? 0;
      if (turns.tryMove(token, this.#at, rank) || tries >= MOST_TRIES) return best;
    }
  }

  explain(choice: Choice): string {
    const { drawn } = this.#turns;
    if (drawn === 0) {
      return `The first turn among ${choice.eligibleCount} eligible backends is drawn by lot.`;
    }
    if (this.#phase.length !== this.#members.length) this.#order(drawn);
    this.#turns.read();
    const best = this.#next(choice, this.#turns.at, this.#turns.rank);
    let total = 0;
    for (let position = 0; position < choice.eligibleCount; position++) {
      total += choice.weight[eligibleAt(choice, position)] ?? 0;
    }
    const share = `${round(choice.weight[best] ?? 0)} of ${round(total)} turns`;
    const who = nameOf(this.#members, best);
    return `The next turn among ${choice.eligibleCount} eligible backends is ${who}'s, which has ${share}.`;
  }

  update(members: readonly Member[]): void {
    this.#members = members;
    this.#phase = new Float64Array(0);
  }

  /** The eligible member with the first turn after (`at`, `rank`); its time is in `#at` then. */
  #next(choice: Choice, at: number, rank: number): number {
    let best = eligibleAt(choice, 0);
    let bestAt = Number.POSITIVE_INFINITY;
    let bestRank = 0;
    for (let position = 0; position < choice.eligibleCount; position++) {
      const member = eligibleAt(choice, position);
      const given = choice.weight[member] ?? 0;
      if (given <= 0) continue;
      const weight = Math.max(1, Math.round(given * SCALE));
      const phase = this.#phase[member] ?? 0;
      const ownRank = this.#rank[member] ?? 0;
      // The first turn that is not before `at`, or one less or more by rounding: corrected below.
      let turn = Math.max(0, Math.floor(at * weight - phase));
      let turnAt = (turn + phase) / weight;
      while (turnAt < at || (turnAt === at && ownRank <= rank)) turnAt = (++turn + phase) / weight;
      // What would come in the next unit has its first turn of that unit.
      if (turn >= weight) turnAt = 1 + phase / weight;
      if (turnAt < bestAt || (turnAt === bestAt && ownRank < bestRank)) {
        best = member;
        bestAt = turnAt;
        bestRank = ownRank;
      }
    }
    this.#at = bestAt >= 1 ? (this.#phase[best] ?? 0) / weightOf(choice, best) : bestAt;
    return best;
  }

  /**
   * Ranks by weight, and among equals by a hash of the name with the shared seed: every thread
   * finds the same order, it survives a change of the file's, and the file's decides nothing.
   */
  #order(seed: number): void {
    const members = this.#members;
    const keys = members.map(({ name }) => hashName(name, seed));
    const order = [...members.keys()].sort(
      (a, b) =>
        (members[a]?.weight ?? 0) - (members[b]?.weight ?? 0) ||
        (keys[a] ?? 0) - (keys[b] ?? 0) ||
        a - b,
    );
    this.#phase = new Float64Array(members.length);
    this.#rank = new Int32Array(members.length);
    for (const [rank, member] of order.entries()) {
      this.#rank[member] = rank;
      this.#phase[member] = Math.floor(((rank * GOLDEN) % 1) * PHASE_STEPS) / PHASE_STEPS;
    }
  }
}

function weightOf(choice: Choice, member: number): number {
  return Math.max(1, Math.round((choice.weight[member] ?? 0) * SCALE));
}
