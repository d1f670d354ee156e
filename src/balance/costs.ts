/**
 * The cost of each candidate by load, latency and failures, kept in order: load × latency ÷ (share
 * of successes)². Unknown latency counts as the mean of the known.
 *
 * Latencies fade with time, all of them by the same factor, which changes no order. So they are
 * kept as they would have been at a base in time, and the unknown, whose mean moves with every
 * sample, stand in an order of their own, without it. Failures fade too, each at its own pace: a
 * member that had some recently is looked at again, a few of them at each choice.
 */
import { IndexedHeap } from './indexed_heap.js';
import { loadOf } from './load.js';
import { MemberSet } from './member_set.js';
import { DECAY_MS } from './peak_ewma.js';
import type { Candidates } from './policy.js';
import type { RecencyOrder } from './recency.js';
import { SumTree } from './sum_tree.js';

/**
 * A backend that has only failed recently stays comparable, at 400 times its cost, and is tried now
 * and then.
 */
const MIN_SUCCESS = 0.05;
/** A failure rate below this changes a cost by 0.2 % and less. */
const FADED = 0.001;
/** Members that failed recently and are looked at again at each choice. */
const LOOKS = 4;
/** e^20 is 5e8: doubles hold any latency that many times greater, and the sum of all. */
const REBASE_MS = 20 * DECAY_MS;

/** What a member costs by `latency`, in any unit: the order below and explanations share it. */
export function costOf(candidates: Candidates, member: number, latency: number): number {
  const success = Math.max(1 - candidates.failureRateOf(member), MIN_SUCCESS);
  return (loadOf(candidates, member) * latency) / success ** 2;
}

export class Costs {
  readonly #candidates: Candidates;
  readonly #recency: RecencyOrder;
  /** By member: as of the base in time; without latency where it is unknown. */
  readonly #costs: Float64Array;
  readonly #known: IndexedHeap;
  readonly #unknown: IndexedHeap;
  /** Of the known, as of the base in time. */
  readonly #latencies: SumTree;
  readonly #failing: MemberSet;
  #nextFailing = 0;
  #baseMs: number;
  /** Scratch: the best of either order. */
  readonly #bestKnown: Int32Array;
  readonly #bestUnknown: Int32Array;

  /** `members`: of the pool. `few`: how many of the best are asked for. */
  constructor(members: number, candidates: Candidates, recency: RecencyOrder, few: number) {
    this.#candidates = candidates;
    this.#recency = recency;
    const costs = new Float64Array(members);
    const isBefore = (a: number, b: number): boolean => {
      const left = costs[a] ?? 0;
      const right = costs[b] ?? 0;
      return left < right || (left === right && recency.isBefore(a, b));
    };
    this.#costs = costs;
    this.#known = new IndexedHeap(members, isBefore);
    this.#unknown = new IndexedHeap(members, isBefore);
    this.#latencies = new SumTree(members);
    this.#failing = new MemberSet(members);
    this.#bestKnown = new Int32Array(few);
    this.#bestUnknown = new Int32Array(few);
    this.#baseMs = candidates.nowMs;
    this.#lookAtAll();
  }

  /**
   * Writes the best members and what each costs, least first; of equal costs the one that was
   * chosen longest ago goes first. Answers how many.
   */
  best(members: Int32Array, costs: Float64Array): number {
    this.#fade();
    const known = this.#known.firstFew(this.#bestKnown);
    const unknown = this.#unknown.firstFew(this.#bestUnknown);
    const mean = this.#known.size === 0 ? 1 : this.#latencies.total / this.#known.size;
    let [fromKnown, fromUnknown, found] = [0, 0, 0];
    while (found < members.length && (fromKnown < known || fromUnknown < unknown)) {
      const left = this.#bestKnown[fromKnown] ?? 0;
      const right = this.#bestUnknown[fromUnknown] ?? 0;
      const leftCost = this.#costs[left] ?? 0;
      const rightCost = (this.#costs[right] ?? 0) * mean;
      const isLeft =
        fromUnknown === unknown ||
        (fromKnown < known &&
          (leftCost < rightCost ||
            (leftCost === rightCost && this.#recency.isBefore(left, right))));
      members[found] = isLeft ? left : right;
      costs[found++] = isLeft ? leftCost : rightCost;
      if (isLeft) fromKnown++;
      else fromUnknown++;
    }
    return found;
  }

  /** Anything about `member`, a candidate, has changed. */
  look(member: number): void {
    const isKnown = this.#read(member);
    const from = isKnown ? this.#unknown : this.#known;
    const to = isKnown ? this.#known : this.#unknown;
    from.remove(member);
    if (to.has(member)) to.moved(member);
    else to.add(member);
  }

  remove(member: number): void {
    this.#known.remove(member);
    this.#unknown.remove(member);
    this.#latencies.set(member, 0);
    this.#failing.remove(member);
  }

  /** The order of equals has changed for `member`. */
  moved(member: number): void {
    this.#known.moved(member);
    this.#unknown.moved(member);
  }

  /** The order of equals has changed for any number of members. */
  order(): void {
    this.#known.order();
    this.#unknown.order();
  }

  #fade(): void {
    if (this.#candidates.nowMs - this.#baseMs > REBASE_MS) {
      this.#baseMs = this.#candidates.nowMs;
      this.#lookAtAll();
    }
    for (let looks = Math.min(LOOKS, this.#failing.size); looks > 0; looks--) {
      if (++this.#nextFailing >= this.#failing.size) this.#nextFailing = 0;
      this.look(this.#failing.at(this.#nextFailing));
    }
  }

  #lookAtAll(): void {
    const { count } = this.#candidates;
    for (let position = 0; position < count; position++) this.look(this.#candidates.at(position));
  }

  /** Notes what `member` costs; true if its latency is known. */
  #read(member: number): boolean {
    const candidates = this.#candidates;
    const sinceBase = Math.exp((candidates.nowMs - this.#baseMs) / DECAY_MS);
    const latency = candidates.latencyMsOf(member) * sinceBase;
    this.#latencies.set(member, latency);
    this.#costs[member] = costOf(candidates, member, latency > 0 ? latency : 1);
    if (candidates.failureRateOf(member) >= FADED) this.#failing.add(member);
    else this.#failing.remove(member);
    return latency > 0;
  }
}
