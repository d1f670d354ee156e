/**
 * Consistent hashing on a ring: every member stands at many points, and a hash belongs to the first
 * point at or after it. Less even than Maglev (about 8 % at 160 points), but when members come and
 * go only hashes of those move. D. Karger et al., "Consistent Hashing and Random Trees", STOC 1997.
 */
import { avalanche, hashName } from './hash.js';
import { type HashTable, placedMembers } from './hash_table.js';
import type { Member } from './policy.js';

/** As libketama and nginx have it. */
const POINTS_A_WEIGHT = 160;
/** 1.5 MiB a pool and worker; a build sorts it in some 30 ms. */
const MAX_POINTS = 2 ** 17;
const POINT_SEED = 0x72696e67;
/** The golden ratio's fraction: steps by it never repeat within 2^32. */
const STEP = 0x9e3779b9;
/** Above any member index: points of 32 bits and members of 16 are whole numbers below 2^53. */
const MEMBER_SPAN = 2 ** 16;

export class HashRing implements HashTable {
  readonly #points: Uint32Array;
  readonly #owners: Int32Array;
  /** By the first bits of a hash: the first point that has those bits, or greater ones. */
  readonly #starts: Int32Array;
  readonly #startShift: number;

  constructor(members: readonly Member[]) {
    const packed = placePoints(members);
    this.#points = Uint32Array.from(packed, (value) => Math.floor(value / MEMBER_SPAN));
    const placed = placedMembers(members);
    this.#owners = Int32Array.from(packed, (value) => placed[value % MEMBER_SPAN] ?? -1);
    // As many starts as points: two steps lead to any point, on average.
    const bits = Math.max(1, Math.ceil(Math.log2(Math.max(1, packed.length))));
    this.#startShift = 32 - bits;
    this.#starts = new Int32Array(2 ** bits);
    let at = 0;
    for (let start = 0; start < this.#starts.length; start++) {
      while ((this.#points[at] ?? Number.POSITIVE_INFINITY) < start * 2 ** this.#startShift) at++;
      this.#starts[start] = at;
    }
  }

  home(hash: number): number {
    const points = this.#points;
    let at = this.#starts[hash >>> this.#startShift] ?? 0;
    while ((points[at] ?? Number.POSITIVE_INFINITY) < hash) at++;
    return this.#owners[at === points.length ? 0 : at] ?? -1;
  }
}

/**
 * Sorted points, each with its owner's rank by name in the low digits: one native sort, no objects.
 */
function placePoints(members: readonly Member[]): Float64Array {
  const placed = placedMembers(members);
  const counts = pointCounts(placed.map((index) => members[index]?.weight ?? 0));
  const packed = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (const [rank, index] of placed.entries()) {
    let point = hashName(members[index]?.name ?? '', POINT_SEED);
    for (let left = counts[rank] ?? 0; left > 0; left--) {
      packed[at++] = avalanche(point) * MEMBER_SPAN + rank;
      point = (point + STEP) >>> 0;
    }
  }
  return packed.sort();
}

/**
 * Points depend on the own weight only, so that nobody else's move when a member comes or goes.
 * When there would be too many, all are halved until they fit: a member's points are a prefix of
 * its sequence, so those that are left stay where they were.
 */
function pointCounts(weights: readonly number[]): readonly number[] {
  let pointsAWeight = POINTS_A_WEIGHT;
  for (;;) {
    const scale = pointsAWeight;
    const counts = weights.map((weight) => Math.max(1, Math.floor(weight * scale)));
    if (counts.reduce((sum, count) => sum + count, 0) <= MAX_POINTS) return counts;
    pointsAWeight /= 2;
  }
}
