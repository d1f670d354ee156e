/**
 * Weighted round-robin over all threads. A member of weight w has w turns in each unit of virtual
 * time, evenly spaced: at (k + phase) / w. The next turn is the first one after the last turn that
 * belongs to an eligible member. Shares are therefore exact over a period (the sum of the weights),
 * a heavy member's turns are spread instead of clumped, and a member that is left out or comes back
 * changes nothing for the others: their turns stay where they are. (HAProxy orders servers by such
 * a position, too: src/lb_fwrr.c.)
 *
 * All that threads have to share is the last turn. It is moved by compare-and-swap: each turn is
 * given once, over all workers. Each thread keeps a heap with the next turn of each weight; when
 * other threads have moved on, it catches up with the weights that had turns.
 */
import type { Random } from '../core/random.js';
import { ITEMS_PER_STRETCH, type Stretches } from '../core/stretches.js';
import { IndexedHeap } from './indexed_heap.js';
import { memberName, onlyOne, round } from './load.js';
import type { Candidates, Chooser, Policy, PolicyExplanation, PolicyMember } from './policy.js';
import { isEarlier, TurnClass, type TurnTime } from './turn_class.js';
import { TurnOrder } from './turn_order.js';
import { OwnTurns, type Turns } from './turns.js';

/** Weights count in thousandths, as in the ledger: fractions of whole numbers compare exactly. */
const SCALE = 1000;
/** When other threads have moved this many times meanwhile, a thread takes what it found. */
const MOST_TRIES = 1_000;

export class RoundRobin implements Policy {
  readonly name = 'round-robin';
  readonly needs = { clientKey: false, latency: false, counts: false };
  readonly #turns: Turns;
  #members: readonly PolicyMember[];
  #order: TurnOrder | null = null;
  #prepared: { readonly members: readonly PolicyMember[]; readonly order: TurnOrder } | null = null;

  constructor(members: readonly PolicyMember[], turns: Turns) {
    this.#members = members;
    this.#turns = turns;
  }

  over(candidates: Candidates): Chooser {
    const members = this.#members;
    return new RoundRobinChooser(members, candidates, this.#turns, (seed) => this.#ordered(seed));
  }

  *prepare(members: readonly PolicyMember[]): Stretches {
    const { drawn } = this.#turns;
    if (drawn === 0) return;
    this.#prepared = { members, order: new TurnOrder(members, drawn) };
    if (members.length > ITEMS_PER_STRETCH) yield;
  }

  update(members: readonly PolicyMember[]): void {
    this.#members = members;
    this.#order = this.#prepared?.members === members ? this.#prepared.order : null;
    this.#prepared = null;
  }

  #ordered(seed: number): TurnOrder {
    if (this.#order?.seed !== seed) this.#order = new TurnOrder(this.#members, seed);
    return this.#order;
  }
}

class RoundRobinChooser implements Chooser {
  readonly #members: readonly PolicyMember[];
  readonly #candidates: Candidates;
  readonly #turns: Turns;
  readonly #orderOf: (seed: number) => TurnOrder;
  /** null until the seed is known. */
  #order: TurnOrder | null = null;
  /** By number; a number whose class is empty is free. */
  readonly #classes: TurnClass[] = [];
  readonly #free: number[] = [];
  readonly #byWeight = new Map<number, number>();
  /** By member: its weight in thousandths, while it is in a class. */
  readonly #weights: Int32Array;
  /** Numbers of classes, by their next turns. */
  readonly #next: IndexedHeap;
  /** The last turn of all threads, as far as this one knows. */
  readonly #last: TurnTime = { unit: 0, at: 0, rank: -1 };

  constructor(
    members: readonly PolicyMember[],
    candidates: Candidates,
    turns: Turns,
    orderOf: (seed: number) => TurnOrder,
  ) {
    this.#members = members;
    this.#candidates = candidates;
    this.#turns = turns;
    this.#orderOf = orderOf;
    this.#weights = new Int32Array(members.length);
    this.#next = new IndexedHeap(members.length, (a, b) => {
      const left = this.#classes[a];
      const right = this.#classes[b];
      return left !== undefined && right !== undefined && isEarlier(left, right);
    });
  }

  choose(_: Uint8Array, random: Random): number {
    const turns = this.#turns;
    this.#begin(turns.seed(random));
    for (let tries = 1; ; tries++) {
      const token = turns.read();
      this.#catchUp();
      const next = this.#classes[this.#next.first];
      // No candidate has a weight.
      if (next === undefined) return this.#candidates.at(0);
      if (turns.tryMove(token, next.at, next.rank) || tries >= MOST_TRIES) return next.member;
    }
  }

  explain(clientKey: Uint8Array, random: Random): PolicyExplanation {
    const { drawn } = this.#turns;
    const { count } = this.#candidates;
    if (count === 1) {
      const only = this.#candidates.at(0);
      return { member: only, sentence: onlyOne(memberName(this.#members, only)) };
    }
    if (drawn === 0) {
      const sentence = `The first turn among ${count} eligible backends is drawn by lot.`;
      return { member: this.#unbegun().choose(clientKey, random), sentence };
    }
    this.#begin(drawn);
    this.#turns.read();
    this.#catchUp();
    const member = this.#classes[this.#next.first]?.member ?? this.#candidates.at(0);
    let total = 0;
    for (let position = 0; position < count; position++) {
      total += this.#candidates.weightOf(this.#candidates.at(position));
    }
    const share = `${round(this.#candidates.weightOf(member))} of ${round(total)} turns`;
    const who = memberName(this.#members, member);
    const sentence = `The next turn among ${count} eligible backends is ${who}'s, which has ${share}.`;
    return { member, sentence };
  }

  scoreOf(): null {
    return null;
  }

  added(member: number): void {
    if (this.#order !== null) this.#enter(this.#order, member);
  }
  removed(member: number): void {
    if (this.#order !== null) this.#leave(member);
  }
  weighed(member: number): void {
    if (this.#order === null) return;
    this.#leave(member);
    this.#enter(this.#order, member);
  }
  counted(): void {}
  measured(): void {}

  /** What this one is before its first choice, with turns of its own. */
  #unbegun(): Chooser {
    const members = this.#members;
    const orderOf = (seed: number): TurnOrder => new TurnOrder(members, seed);
    return new RoundRobinChooser(members, this.#candidates, new OwnTurns(), orderOf);
  }

  /** The order follows from the seed, which is drawn for the first choice. */
  #begin(seed: number): void {
    if (this.#order !== null) return;
    const order = this.#orderOf(seed);
    this.#order = order;
    const { count } = this.#candidates;
    for (let position = 0; position < count; position++) {
      this.#enter(order, this.#candidates.at(position));
    }
  }

  /** Goes on to the last turn of all threads. */
  #catchUp(): void {
    const { at, rank } = this.#turns;
    const last = this.#last;
    if (at < last.at || (at === last.at && rank < last.rank)) last.unit++;
    last.at = at;
    last.rank = rank;
    for (;;) {
      const number = this.#next.first;
      const next = this.#classes[number];
      if (next === undefined || isEarlier(last, next)) return;
      next.follow(last);
      this.#next.moved(number);
    }
  }

  #enter(order: TurnOrder, member: number): void {
    const given = this.#candidates.weightOf(member);
    if (given <= 0) return;
    const weight = Math.max(1, Math.round(given * SCALE));
    this.#weights[member] = weight;
    const number = this.#byWeight.get(weight) ?? this.#open(order, weight);
    const turns = this.#classes[number];
    if (turns === undefined) return;
    const isNew = turns.isEmpty;
    turns.add(member);
    turns.follow(this.#last);
    if (isNew) this.#next.add(number);
    else this.#next.moved(number);
  }

  #leave(member: number): void {
    const weight = this.#weights[member] ?? 0;
    const number = this.#byWeight.get(weight);
    const turns = number === undefined ? undefined : this.#classes[number];
    if (number === undefined || turns === undefined) return;
    this.#weights[member] = 0;
    turns.remove(member);
    if (turns.isEmpty) {
      this.#next.remove(number);
      this.#byWeight.delete(weight);
      this.#free.push(number);
    } else if (turns.member === member) {
      turns.follow(this.#last);
      this.#next.moved(number);
    }
  }

  #open(order: TurnOrder, weight: number): number {
    const number = this.#free.pop() ?? this.#classes.length;
    const known = this.#classes[number];
    if (known === undefined) this.#classes.push(new TurnClass(order, weight, this.#members.length));
    else known.become(weight);
    this.#byWeight.set(weight, number);
    return number;
  }
}
