/**
 * In which order members of equal weight have their turns in a round-robin. Each has a phase, its
 * place within the time that a turn of its weight takes; the golden ratio spreads them evenly.
 */
import { hashName } from './hash.js';
import type { PolicyMember } from './policy.js';

/**
 * Phases are multiples of 2^-16. Then (k + phase) / weight is the quotient of two whole numbers
 * below 2^53, correctly rounded: equal turns are equal doubles. Those of configured weights that
 * differ do so by 1 / (1000 * 1000^2 * 2^16) = 1.5e-14 or more, which doubles up to 2 distinguish.
 */
const PHASE_STEPS = 2 ** 16;
/** Above any member index: with 32 bits above it, a key is a whole number below 2^53. */
const SPAN = 2 ** 16;
/** From each phase to the next: any number of them are spread evenly (TAOCP 3, 6.4). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

export class TurnOrder {
  readonly seed: number;
  /** By place. */
  readonly #members: Int32Array;
  readonly #phases: Float64Array;
  readonly #ranks: Int32Array;
  /** By member. */
  readonly #places: Int32Array;

  /**
   * Ranks by weight, and among equals by a hash of the name with the shared seed: every thread
   * finds the same order, it survives a change of the file's, and the file's decides nothing.
   */
  constructor(members: readonly PolicyMember[], seed: number) {
    this.seed = seed;
    const byRank = rankMembers(members, seed);
    const phases = Float64Array.from(byRank, (_, rank) => {
      return Math.floor(((rank * GOLDEN) % 1) * PHASE_STEPS) * SPAN + rank;
    }).sort();
    this.#ranks = Int32Array.from(phases, (phase) => phase % SPAN);
    this.#phases = phases.map((phase) => Math.floor(phase / SPAN) / PHASE_STEPS);
    this.#members = Int32Array.from(this.#ranks, (rank) => byRank[rank] ?? 0);
    this.#places = new Int32Array(members.length);
    for (const [place, member] of this.#members.entries()) this.#places[member] = place;
  }

  /** Places are in the order of phases, and of ranks among equal ones. */
  placeOf(member: number): number {
    return this.#places[member] ?? 0;
  }

  memberAt(place: number): number {
    return this.#members[place] ?? 0;
  }

  phaseAt(place: number): number {
    return this.#phases[place] ?? 0;
  }

  rankAt(place: number): number {
    return this.#ranks[place] ?? 0;
  }

  /** The first place whose phase is `phase` or more; one behind the last where there is none. */
  firstFrom(phase: number): number {
    const phases = this.#phases;
    let low = 0;
    let high = phases.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((phases[middle] ?? 0) < phase) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Members by weight, and of equal weight by hash; of equal hashes by number. */
function rankMembers(members: readonly PolicyMember[], seed: number): Int32Array {
  const byWeight = new Map<number, number[]>();
  for (const [member, { name, weight }] of members.entries()) {
    const equals = byWeight.get(weight) ?? [];
    if (equals.length === 0) byWeight.set(weight, equals);
    equals.push(hashName(name, seed) * SPAN + member);
  }
  const weights = Float64Array.from(byWeight.keys()).sort();
  const ranked = new Int32Array(members.length);
  let rank = 0;
  for (const weight of weights) {
    // One native sort of numbers for each weight, instead of a comparison of two names per pair.
    const keys = Float64Array.from(byWeight.get(weight) ?? []).sort();
    for (const key of keys) ranked[rank++] = key % SPAN;
  }
  return ranked;
}
