/**
 * Consistent hashing on a ring: every member stands at many points, and a hash belongs to the first
 * point at or after it. Less even than Maglev (about 8 % at 160 points), but when members come and
 * go only hashes of those move. D. Karger et al., "Consistent Hashing and Random Trees", STOC 1997.
 */
import { assert } from '../core/assert.js';
import { ITEMS_PER_STRETCH, inStretches, type Stretches } from '../core/stretches.js';
import { avalanche, hashName } from './hash.js';
import { type HashTable, placedMembers } from './hash_table.js';
import type { PolicyMember } from './policy.js';

/** As libketama and nginx have it. */
const POINTS_PER_WEIGHT = 160;
/** 1.5 MiB per pool and worker. */
const MAX_POINTS = 2 ** 17;
const POINT_SEED = 0x72696e67;
/** The golden ratio's fraction: steps by it never repeat within 2^32. */
const STEP = 0x9e3779b9;
/**
 * This many members find room behind a point of 32 bits in a whole number; each has at least one
 * point.
 */
export const MAX_RING_MEMBERS = 2 ** 16;
/** Points are sorted by their first bits before each part is sorted by itself. */
const PART_BITS = 6;
const PARTS = 2 ** PART_BITS;

/** `pointsAWeight`: of a member of weight 1. */
export function* hashRing(
  members: readonly PolicyMember[],
  pointsAWeight = POINTS_PER_WEIGHT,
): Stretches<HashRing> {
  const placed = placedMembers(members);
  assert(placed.length <= MAX_RING_MEMBERS, 'each member of a ring has a rank behind its points');
  const packed = yield* placePoints(members, placed, pointsAWeight);
  const points = new Uint32Array(packed.length);
  const owners = new Int32Array(packed.length);
  yield* inStretches(packed.length, (at) => {
    const value = packed[at] ?? 0;
    points[at] = Math.floor(value / MAX_RING_MEMBERS);
    owners[at] = placed[value % MAX_RING_MEMBERS] ?? -1;
  });
  return new HashRing(points, owners, yield* startsOf(points));
}

/**
 * By the first bits of a hash: the first point that has those bits, or greater ones. As many as
 * there are points: two steps lead to any point, on average.
 */
function* startsOf(points: Uint32Array): Stretches<Int32Array> {
  const bits = Math.max(1, Math.ceil(Math.log2(Math.max(1, points.length))));
  const span = 2 ** (32 - bits);
  const starts = new Int32Array(2 ** bits);
  let at = 0;
  yield* inStretches(starts.length, (start) => {
    while (at < points.length && (points[at] ?? 0) < start * span) at++;
    starts[start] = at;
  });
  return starts;
}

export class HashRing implements HashTable {
  readonly #points: Uint32Array;
  readonly #owners: Int32Array;
  readonly #starts: Int32Array;
  readonly #startShift: number;

  /** Points are sorted; each has its owner at the same place. */
  constructor(points: Uint32Array, owners: Int32Array, starts: Int32Array) {
    this.#points = points;
    this.#owners = owners;
    this.#starts = starts;
    this.#startShift = 32 - Math.log2(starts.length);
  }

  home(hash: number): number {
    const points = this.#points;
    let at = this.#starts[hash >>> this.#startShift] ?? 0;
    while ((points[at] ?? Number.POSITIVE_INFINITY) < hash) at++;
    return this.#owners[at === points.length ? 0 : at] ?? -1;
  }
}

/** Sorted points, each with its owner's rank by name in the low digits: no objects. */
function* placePoints(
  members: readonly PolicyMember[],
  placed: readonly number[],
  pointsAWeight: number,
): Stretches<Float64Array> {
  const weights = placed.map((index) => members[index]?.weight ?? 0);
  const counts = pointCounts(weights, pointsAWeight);
  const packed = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (const [rank, index] of placed.entries()) {
    let point = hashName(members[index]?.name ?? '', POINT_SEED);
    for (let left = counts[rank] ?? 0; left > 0; left--) {
      packed[at++] = avalanche(point) * MAX_RING_MEMBERS + rank;
      point = (point + STEP) >>> 0;
      if (at % ITEMS_PER_STRETCH === 0) yield;
    }
  }
  return yield* sorted(packed);
}

/** The same numbers in order: spread over parts by their first bits, and each part sorted. */
function* sorted(packed: Float64Array): Stretches<Float64Array> {
  const partOf = (value: number): number =>
    Math.floor(value / (MAX_RING_MEMBERS * 2 ** (32 - PART_BITS)));
  /** By part: where its next number goes; in the end, where it ends. */
  const ends = new Int32Array(PARTS);
  for (const value of packed) {
    const next = partOf(value) + 1;
    if (next < PARTS) ends[next] = (ends[next] ?? 0) + 1;
  }
  for (let part = 1; part < PARTS; part++) ends[part] = (ends[part] ?? 0) + (ends[part - 1] ?? 0);
  const spread = new Float64Array(packed.length);
  yield* inStretches(packed.length, (at) => {
    const value = packed[at] ?? 0;
    const part = partOf(value);
    const to = ends[part] ?? 0;
    spread[to] = value;
    ends[part] = to + 1;
  });
  for (let part = 0; part < PARTS; part++) {
    spread.subarray(part === 0 ? 0 : ends[part - 1], ends[part]).sort();
    if (packed.length > ITEMS_PER_STRETCH) yield;
  }
  return spread;
}

/**
 * Points depend on the own weight only, so that those of the others stay when a member comes or
 * goes. When there would be too many, all are halved until they fit: a member's points are a prefix
 * of its sequence, so those that are left stay where they were.
 */
function pointCounts(weights: readonly number[], most: number): readonly number[] {
  let pointsAWeight = most;
  for (;;) {
    const scale = pointsAWeight;
    const counts = weights.map((weight) => Math.max(1, Math.floor(weight * scale)));
    if (counts.reduce((sum, count) => sum + count, 0) <= MAX_POINTS) return counts;
    pointsAWeight /= 2;
  }
}
