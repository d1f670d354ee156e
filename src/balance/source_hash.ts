/**
 * The client's address decides, and clients stay put when other backends come and go. Each hash has
 * a home in a table over all configured members (Maglev or ring) that eligibility never changes.
 * Where the home is not eligible, or has its share of the sessions already, the client goes to the
 * next choice of its own hash (rendezvous), and back as soon as the home can take it.
 *
 * Bounded load: no member has more than `factor` times its fair share (and a few, see below). V.
 * Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent Hashing with Bounded Loads", arXiv:1608.01350;
 * a spread over all instead of the next on the ring, as J. Chen et al., arXiv:1908.08762, so that
 * no overflow cascades.
 */
import type { HashSpec } from '../core/spec.js';
import { ClientHash } from './client_hash.js';
import type { HashTable } from './hash_table.js';
import { eligibleAt, nameOf } from './load.js';
import { MaglevTable } from './maglev.js';
import type { Choice, Member, Policy } from './policy.js';
import { Rendezvous } from './rendezvous.js';
import { HashRing } from './ring.js';

/**
 * Up to so many sessions a member takes whoever belongs there. With a handful of sessions in the
 * pool the fair share is one or two, and a client's second session would leave the first one's
 * backend.
 */
export const UNBOUND_SESSIONS = 8;

export class SourceHash implements Policy {
  readonly name = 'source-hash';
  readonly needs = { clientKey: true, latency: false };
  readonly #options: HashSpec;
  readonly #clientHash: ClientHash;
  #members: readonly Member[];
  #table: HashTable;
  #others: Rendezvous;
  /** Sessions that a unit of weight may have now; Infinity while the load is not bounded. */
  #sessionsAWeight = Number.POSITIVE_INFINITY;

  constructor(members: readonly Member[], options: HashSpec) {
    this.#options = options;
    this.#clientHash = new ClientHash(options.ipv6PrefixBits);
    this.#members = members;
    this.#table = createTable(members, options);
    this.#others = new Rendezvous(members);
  }

  choose(choice: Choice): number {
    const hash = this.#clientHash.of(choice.clientKey);
    const home = this.#table.home(hash);
    this.#measure(choice);
    if (isEligible(choice, home) && this.#hasRoom(choice, home)) return home;
    return this.#nextChoice(choice, hash);
  }

  explain(choice: Choice): string {
    const hash = this.#clientHash.of(choice.clientKey);
    const home = this.#table.home(hash);
    this.#measure(choice);
    const start = `The client's hash 0x${hash.toString(16).padStart(8, '0')}`;
    if (home < 0) return `${start} has no home, for every weight is 0.`;
    const homeName = nameOf(this.#members, home);
    const eligible = isEligible(choice, home);
    if (eligible && this.#hasRoom(choice, home)) {
      return `${start} has its home at ${homeName} (${this.#options.algorithm}).`;
    }
    const why = eligible
      ? `has ${choice.active[home] ?? 0} sessions of the ${this.#limit(choice, home)} that bounded load allows`
      : 'is not eligible';
    const next = nameOf(this.#members, this.#nextChoice(choice, hash));
    return `${start} has its home at ${homeName}, which ${why}; its next choice is ${next}.`;
  }

  update(members: readonly Member[]): void {
    if (sameMembers(this.#members, members)) return;
    this.#members = members;
    this.#table = createTable(members, this.#options);
    this.#others = new Rendezvous(members);
  }

  #measure(choice: Choice): void {
    const factor = this.#options.balanceFactor;
    if (factor === 0) return;
    let active = 1;
    let weight = 0;
    for (let position = 0; position < choice.eligibleCount; position++) {
      const member = eligibleAt(choice, position);
      active += choice.active[member] ?? 0;
      weight += choice.weight[member] ?? 0;
    }
    this.#sessionsAWeight = (factor * active) / weight;
  }

  #limit(choice: Choice, member: number): number {
    const weight = choice.weight[member] ?? 0;
    return weight <= 0 ? 0 : Math.max(UNBOUND_SESSIONS, Math.ceil(this.#sessionsAWeight * weight));
  }

  /**
   * Some eligible member always has room: the limits add up to at least one more than is active.
   */
  #hasRoom(choice: Choice, member: number): boolean {
    return (choice.active[member] ?? 0) < this.#limit(choice, member);
  }

  #nextChoice(choice: Choice, hash: number): number {
    let best = eligibleAt(choice, 0);
    let bestDistance = Number.POSITIVE_INFINITY;
    for (let position = 0; position < choice.eligibleCount; position++) {
      const member = eligibleAt(choice, position);
      if (!this.#hasRoom(choice, member)) continue;
      const distance = this.#others.distance(hash, member, bestDistance);
      if (distance < bestDistance) {
        best = member;
        bestDistance = distance;
      }
    }
    return best;
  }
}

function createTable(members: readonly Member[], options: HashSpec): HashTable {
  return options.algorithm === 'maglev'
    ? new MaglevTable(members, options.tableSize)
    : new HashRing(members);
}

/** Binary search: the eligible indices ascend. */
function isEligible(choice: Choice, member: number): boolean {
  let low = 0;
  let high = choice.eligibleCount;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (eligibleAt(choice, middle) < member) low = middle + 1;
    else high = middle;
  }
  return low < choice.eligibleCount && choice.eligible[low] === member;
}

function sameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  return (
    a.length === b.length &&
    a.every((member, i) => member.name === b[i]?.name && member.weight === b[i]?.weight)
  );
}
