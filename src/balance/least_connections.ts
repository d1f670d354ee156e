/**
 * The least load over all eligible backends; ties go round. The count moves when a backend is
 * chosen, not when its dial succeeds, so that a burst spreads instead of herding. The order is kept
 * in a heap, so that a choice looks at its top only (HAProxy keeps a tree: src/lb_fwlc.c).
 */
import type { Random } from '../core/random.js';
import { KeyedHeap } from './keyed_heap.js';
import { describeLoad, leastBy, loadOf, onlyOne } from './load.js';
import type { Candidates, Chooser, Policy, PolicyExplanation, PolicyMember } from './policy.js';
import { Recency, type RecencyFollower } from './recency.js';

export class LeastConnections implements Policy {
  readonly name = 'least-connections';
  readonly needs = { clientKey: false, latency: false, counts: true };
  readonly #recency: Recency;
  #members: readonly PolicyMember[];

  constructor(members: readonly PolicyMember[]) {
    this.#members = members;
    this.#recency = new Recency(members);
  }

  over(candidates: Candidates): Chooser {
    const chooser = new LeastConnectionsChooser(this.#members, candidates, this.#recency);
    this.#recency.followedBy(chooser);
    return chooser;
  }

  update(members: readonly PolicyMember[]): void {
    this.#recency.update(members);
    this.#members = members;
  }
}

class LeastConnectionsChooser implements Chooser, RecencyFollower {
  readonly #members: readonly PolicyMember[];
  readonly #candidates: Candidates;
  readonly #recency: Recency;
  /** By load as of the last change, then by how long ago each was chosen. */
  readonly #order: KeyedHeap;

  constructor(members: readonly PolicyMember[], candidates: Candidates, recency: Recency) {
    this.#members = members;
    this.#candidates = candidates;
    this.#recency = recency;
    this.#order = new KeyedHeap(members.length);
    this.wereAdmitted();
  }

  choose(_: Uint8Array, random: Random): number {
    this.#recency.admit(random);
    const best = this.#order.first;
    this.#recency.chosen(best);
    return best;
  }

  explain(_: Uint8Array, random: Random): PolicyExplanation {
    return { member: this.#foreseen(random), sentence: this.#sentence() };
  }

  scoreOf(member: number): number {
    return loadOf(this.#candidates, member);
  }

  /** The first in order once new members have their places. */
  #foreseen(random: Random): number {
    const loads = this.#order;
    const order = this.#recency.foreseen(random);
    let best = this.#candidates.at(0);
    for (let position = 1; position < this.#candidates.count; position++) {
      const member = this.#candidates.at(position);
      const [load, least] = [loads.firstKeyOf(member), loads.firstKeyOf(best)];
      if (load < least || (load === least && order.isBefore(member, best))) best = member;
    }
    return best;
  }

  #sentence(): string {
    const candidates = this.#candidates;
    const { count } = candidates;
    const least = leastBy(candidates, (member) => loadOf(candidates, member));
    const found = describeLoad(this.#members, candidates, least);
    if (count === 1) return onlyOne(found);
    const leastLoad = loadOf(candidates, least);
    let ties = 0;
    for (let position = 0; position < count; position++) {
      if (loadOf(candidates, candidates.at(position)) === leastLoad) ties++;
    }
    return ties === 1
      ? `Takes the least load of ${count} eligible backends: ${found}.`
      : `Goes round ${ties} of ${count} eligible backends that tie, as ${found}.`;
  }

  added(member: number): void {
    const load = loadOf(this.#candidates, member);
    this.#order.put(member, load, this.#recency.stampOf(member));
  }
  removed(member: number): void {
    this.#order.remove(member);
  }
  weighed(member: number): void {
    this.counted(member);
  }
  counted(member: number): void {
    this.#order.putFirst(member, loadOf(this.#candidates, member));
  }
  measured(): void {}

  wasChosen(member: number): void {
    if (this.#order.has(member)) this.#order.putSecond(member, this.#recency.stampOf(member));
  }
  wereAdmitted(): void {
    const candidates = this.#candidates;
    for (let position = 0; position < candidates.count; position++) {
      const member = candidates.at(position);
      const load = loadOf(candidates, member);
      this.#order.putUnordered(member, load, this.#recency.stampOf(member));
    }
    this.#order.order();
  }
}
