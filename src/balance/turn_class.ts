/**
 * Candidates of one effective weight in a round-robin. In each unit of virtual time a member of
 * weight w has its turns at (k + phase) / w, so of equal weights the next turn after any time is
 * that of the next phase: one look into a set of places, however many members there are.
 */
import { PlaceSet } from './place_set.js';
import type { TurnOrder } from './turn_order.js';

/** A place in virtual time; several turns at the same time go by rank. */
export interface TurnTime {
  /** Units of virtual time that have passed: only this thread counts them. */
  unit: number;
  /** 0 to 1. */
  at: number;
  rank: number;
}

export function isEarlier(a: TurnTime, b: TurnTime): boolean {
  if (a.unit !== b.unit) return a.unit < b.unit;
  return a.at < b.at || (a.at === b.at && a.rank < b.rank);
}

/** Less than the distance of two phases. */
const MARGIN = 2 ** -17;

export class TurnClass implements TurnTime {
  readonly #order: TurnOrder;
  #weight: number;
  readonly #places: PlaceSet;
  /** The next turn, and whose it is. */
  unit = 0;
  at = 0;
  rank = 0;
  member = -1;

  /** `weight`: a whole number, 1 or more. `members`: of the pool. */
  constructor(order: TurnOrder, weight: number, members: number) {
    this.#order = order;
    this.#weight = weight;
    this.#places = new PlaceSet(members);
  }

  /** An empty class is good for any other weight. */
  become(weight: number): void {
    this.#weight = weight;
  }

  get isEmpty(): boolean {
    return this.#places.size === 0;
  }

  add(member: number): void {
    this.#places.add(this.#order.placeOf(member));
  }

  remove(member: number): void {
    this.#places.remove(this.#order.placeOf(member));
  }

  /** Makes the first turn after `last` the next one. Of a class that is not empty. */
  follow(last: TurnTime): void {
    const order = this.#order;
    const weight = this.#weight;
    const passed = last.at * weight;
    // Rounding may have lost up to a margin; what is too early is stepped over below.
    let turn = Math.floor(passed);
    let place = this.#places.next(order.firstFrom(passed - turn - MARGIN));
    for (;;) {
      if (place < 0) {
        turn++;
        place = this.#places.next(0);
      }
      const at = (turn + order.phaseAt(place)) / weight;
      const rank = order.rankAt(place);
      if (at > last.at || (at === last.at && rank > last.rank)) break;
      place = this.#places.next(place + 1);
    }
    // What would come in the next unit is its first turn there.
    const isNext = turn >= weight;
    this.unit = isNext ? last.unit + 1 : last.unit;
    this.at = ((isNext ? 0 : turn) + order.phaseAt(place)) / weight;
    this.rank = order.rankAt(place);
    this.member = order.memberAt(place);
  }
}
