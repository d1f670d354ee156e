/**
 * Rendezvous hashing: every client ranks all members by a hash of the two, and takes the best
 * ranked one that may be taken. Each client has its own order, so what one backend cannot take
 * spreads over all the others by weight, and a backend that comes or goes moves only its own
 * clients. D. Thaler and C. Ravishankar, "Using Name-Based Mappings to Increase Hit Rates",
 * IEEE/ACM ToN 6(1), 1998; weights by the logarithm: C. Schindelhauer and G. Schomaker, "Weighted
 * Distributed Hash Tables", SPAA 2005.
 */
import { avalanche, hashName } from './hash.js';
import type { PolicyMember } from './policy.js';

const NAME_SEED = 0x72656e64;

export class Rendezvous {
  readonly #names: Uint32Array;
  readonly #weights: Float64Array;

  constructor(members: readonly PolicyMember[]) {
    this.#names = Uint32Array.from(members, (member) => hashName(member.name, NAME_SEED));
    this.#weights = Float64Array.from(members, (member) => member.weight);
  }

  /**
   * The distance of `member` from the client with `hash`: exponentially distributed with the weight
   * as its rate, so the least of several is a member's with probability in proportion to weight.
   * Where it cannot be below `bound`, any value of at least `bound`. A member without weight is
   * farther than any other, yet comparable.
   */
  distance(hash: number, member: number, bound: number): number {
    const uniform = (avalanche(hash ^ (this.#names[member] ?? 0)) + 0.5) / 0x1_0000_0000;
    const weight = Math.max(this.#weights[member] ?? 0, Number.EPSILON);
    // -ln(u) >= 1 - u: most members are ruled out without a logarithm.
    const least = (1 - uniform) / weight;
    return least >= bound ? least : -Math.log(uniform) / weight;
  }
}
