/**
 * The backups of a pool, of which some wait for others: candidates are the eligible ones of the
 * lowest rank. Where all backups have one rank they need no order.
 */
import type { CandidateSet } from '../balance/candidate_set.js';
import { IndexedHeap } from '../balance/indexed_heap.js';

/** No backup is eligible. */
const NONE = 0;

export class BackupLine {
  readonly #candidates: CandidateSet;
  /** By member; 0 of those that are no backups. */
  readonly #ranks: readonly number[];
  /** Members by their rank; small, or all of one. */
  readonly #byRank = new Map<number, number[]>();
  /** Of the eligible ones, by rank; null: all have the same. */
  readonly #line: IndexedHeap | null;
  readonly #weights: Float64Array;
  /** Of the candidates. */
  #serving = NONE;

  constructor(candidates: CandidateSet, ranks: readonly number[]) {
    const isOrdered = ranks.some((rank) => rank > 1);
    this.#candidates = candidates;
    this.#ranks = isOrdered ? ranks : [];
    this.#weights = new Float64Array(this.#ranks.length);
    const isBefore = (a: number, b: number): boolean => this.#rankOf(a) < this.#rankOf(b);
    this.#line = isOrdered ? new IndexedHeap(ranks.length, isBefore) : null;
    for (const [member, rank] of this.#ranks.entries()) {
      const others = this.#byRank.get(rank);
      if (others === undefined) this.#byRank.set(rank, [member]);
      else others.push(member);
    }
  }

  /** `member`, a backup, is eligible, of this weight. */
  put(member: number, weight: number): void {
    if (this.#line === null) return this.#candidates.put(member, weight);
    this.#weights[member] = weight;
    if (!this.#line.has(member)) this.#line.add(member);
    if (this.#rankOf(member) === this.#serving) this.#candidates.put(member, weight);
    this.#follow(this.#line);
  }

  remove(member: number): void {
    this.#candidates.remove(member);
    if (this.#line === null) return;
    this.#line.remove(member);
    this.#follow(this.#line);
  }

  /** Another rank may be the lowest one now. */
  #follow(line: IndexedHeap): void {
    const lowest = line.size === 0 ? NONE : this.#rankOf(line.first);
    if (lowest === this.#serving) return;
    for (const member of this.#membersOf(this.#serving)) this.#candidates.remove(member);
    this.#serving = lowest;
    for (const member of this.#membersOf(lowest)) {
      if (line.has(member)) this.#candidates.put(member, this.#weights[member] ?? 0);
    }
  }

  #membersOf(rank: number): readonly number[] {
    return rank === NONE ? [] : (this.#byRank.get(rank) ?? []);
  }

  #rankOf(member: number): number {
    return this.#ranks[member] ?? 0;
  }
}
