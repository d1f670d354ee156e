/**
 * Which member of a pool has a row of the ledger. Rows of one pool stand side by side more often
 * than not: an array from the first one on is enough then, and quicker than a map.
 */
import type { BackendId } from '../core/brand.js';

/** Rows between the first and the last one, for each that is the pool's. */
const MOST_SPARSE = 8;
const NONE = -1;

export class RowIndex {
  readonly #first: number;
  /** By row from the first one on; empty where rows are too far from each other. */
  readonly #near: Int32Array;
  readonly #far: ReadonlyMap<number, number>;
  /** How many rows follow each other, in the order of members: mostly all do. */
  readonly #run: number;

  constructor(rows: readonly BackendId[]) {
    const first = rows.reduce((least, row) => Math.min(least, row), Number.POSITIVE_INFINITY);
    const last = rows.reduce((greatest, row) => Math.max(greatest, row), NONE);
    const span = Math.max(0, last - first + 1);
    const isNear = span <= MOST_SPARSE * rows.length;
    this.#first = isNear ? first : 0;
    const isRun = rows.every((row, member) => row === first + member);
    this.#run = isRun ? rows.length : 0;
    this.#near = new Int32Array(isNear ? span : 0).fill(NONE);
    this.#far = new Map(isNear ? [] : rows.map((row, member) => [row, member]));
    if (isNear) for (const [member, row] of rows.entries()) this.#near[row - first] = member;
  }

  /** -1: the row is another pool's. */
  memberAt(row: BackendId): number {
    const place = row - this.#first;
    if (place >= 0 && place < this.#run) return place;
    if (this.#near.length === 0) return this.#far.get(row) ?? NONE;
    return this.#near[place] ?? NONE;
  }
}
