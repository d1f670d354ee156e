/**
 * The client's address decides, and clients stay put when other backends come and go. Each hash has
 * a home in a table over all configured members (Maglev or ring) that eligibility never changes.
 * Where the home is not eligible, or has its share of the sessions already, the client goes to the
 * next choice of its own hash, and back as soon as the home can take it. Its next choices are the
 * homes of further hashes of the same client: every client has an order of its own, by weight, so
 * what one backend cannot take spreads over all the others. Where many of them in a row will not do
 * either, the client's order is that of rendezvous among those that do.
 *
 * Bounded load: no member has more than `factor` times its fair share (and a few, see below). V.
 * Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent Hashing with Bounded Loads", arXiv:1608.01350;
 * a spread over all instead of the next on the ring, as J. Chen et al., arXiv:1908.08762, so that
 * no overflow cascades.
 */
import type { SourceHashSpec } from '../core/spec.js';
import { atOnce, type Stretches } from '../core/stretches.js';
import { BoundedLoad } from './bounded_load.js';
import { ClientHash } from './client_hash.js';
import { avalanche } from './hash.js';
import type { HashTable } from './hash_table.js';
import { memberName } from './load.js';
import { maglevTable } from './maglev.js';
import type { Candidates, Chooser, Policy, PolicyExplanation, PolicyMember } from './policy.js';
import { Rendezvous } from './rendezvous.js';
import { hashRing } from './ring.js';

/**
 * Further hashes that a client tries before all candidates are looked at. With a share f of the
 * members eligible, 1/f are tried on average, and a share (1 - f)^32 of the clients looks at all
 * f n that there are: of 16,384 that is 56 on average when one of ten is up, and 190 at worst, at
 * f = 1/32.
 */
const FURTHER_HASHES = 32;
/** The golden ratio's fraction: steps by it never repeat within 2^32. */
const STEP = 0x9e3779b9;

/** What a pool's choosers share. */
interface Tables {
  readonly clientHash: ClientHash;
  readonly homes: HashTable;
  readonly others: Rendezvous;
}

interface Prepared {
  readonly members: readonly PolicyMember[];
  readonly tables: Tables;
}

export class SourceHash implements Policy {
  readonly name = 'source-hash';
  readonly needs: Policy['needs'];
  readonly #options: SourceHashSpec;
  #members: readonly PolicyMember[];
  #tables: Tables;
  #prepared: Prepared | null = null;

  constructor(members: readonly PolicyMember[], options: SourceHashSpec) {
    this.needs = { clientKey: true, latency: false, counts: options.balanceFactor > 0 };
    this.#options = options;
    this.#members = members;
    this.#tables = atOnce(tablesOf(members, options));
  }

  over(candidates: Candidates): Chooser {
    return new SourceHashChooser(this.#members, candidates, this.#options, this.#tables);
  }

  *prepare(members: readonly PolicyMember[]): Stretches {
    if (sameMembers(this.#members, members)) return;
    this.#prepared = { members, tables: yield* tablesOf(members, this.#options) };
  }

  update(members: readonly PolicyMember[]): void {
    const prepared = this.#prepared;
    this.#prepared = null;
    if (sameMembers(this.#members, members)) return;
    this.#members = members;
    const isReady = prepared?.members === members;
    this.#tables = isReady ? prepared.tables : atOnce(tablesOf(members, this.#options));
  }
}

class SourceHashChooser implements Chooser {
  readonly #members: readonly PolicyMember[];
  readonly #candidates: Candidates;
  readonly #options: SourceHashSpec;
  readonly #tables: Tables;
  readonly #bounds: BoundedLoad;

  constructor(
    members: readonly PolicyMember[],
    candidates: Candidates,
    options: SourceHashSpec,
    tables: Tables,
  ) {
    this.#members = members;
    this.#candidates = candidates;
    this.#options = options;
    this.#tables = tables;
    this.#bounds = new BoundedLoad(members.length, candidates, options.balanceFactor);
  }

  choose(clientKey: Uint8Array): number {
    const hash = this.#tables.clientHash.of(clientKey);
    const home = this.#tables.homes.home(hash);
    return this.#mayTake(home) ? home : this.#nextChoice(hash);
  }

  explain(clientKey: Uint8Array): PolicyExplanation {
    return { member: this.choose(clientKey), sentence: this.#sentence(clientKey) };
  }

  scoreOf(): null {
    return null;
  }

  #sentence(clientKey: Uint8Array): string {
    const hash = this.#tables.clientHash.of(clientKey);
    const home = this.#tables.homes.home(hash);
    const start = `The client's hash 0x${hash.toString(16).padStart(8, '0')}`;
    if (home < 0) return `${start} has no home, for every weight is 0.`;
    const homeName = memberName(this.#members, home);
    if (this.#mayTake(home)) {
      return `${start} has its home at ${homeName} (${this.#options.algorithm}).`;
    }
    const why = this.#candidates.has(home)
      ? `has ${this.#candidates.activeOf(home)} sessions of the ${this.#bounds.limitOf(home)} that bounded load allows`
      : 'is not eligible';
    const next = memberName(this.#members, this.#nextChoice(hash));
    return `${start} has its home at ${homeName}, which ${why}; its next choice is ${next}.`;
  }

  added(member: number): void {
    this.#bounds.added(member);
  }
  removed(member: number): void {
    this.#bounds.removed(member);
  }
  weighed(member: number): void {
    this.#bounds.removed(member);
    this.#bounds.added(member);
  }
  counted(member: number): void {
    this.#bounds.counted(member);
  }
  measured(): void {}

  /** Some candidate always may: the limits add up to at least one more than is active. */
  #mayTake(member: number): boolean {
    return this.#candidates.has(member) && this.#bounds.hasRoom(member);
  }

  #nextChoice(hash: number): number {
    // Every way leads to it.
    if (this.#candidates.count === 1) return this.#candidates.at(0);
    const { homes } = this.#tables;
    let further = hash;
    for (let tries = 0; tries < FURTHER_HASHES; tries++) {
      further = (further + STEP) >>> 0;
      const member = homes.home(avalanche(further));
      if (this.#mayTake(member)) return member;
    }
    return this.#nearest(hash);
  }

  #nearest(hash: number): number {
    const candidates = this.#candidates;
    let best = -1;
    let bestDistance = Number.POSITIVE_INFINITY;
    for (let position = 0; position < candidates.count; position++) {
      const member = candidates.at(position);
      if (!this.#bounds.hasRoom(member)) continue;
      const distance = this.#tables.others.distance(hash, member, bestDistance);
      // Of equal distances the first by number: positions say nothing.
      if (distance < bestDistance || (distance === bestDistance && member < best)) {
        best = member;
        bestDistance = distance;
      }
    }
    return best === -1 ? candidates.at(0) : best;
  }
}

function* tablesOf(members: readonly PolicyMember[], options: SourceHashSpec): Stretches<Tables> {
  const homes =
    options.algorithm === 'maglev'
      ? yield* maglevTable(members, options.tableSize)
      : yield* hashRing(members);
  const clientHash = new ClientHash(options.ipv6PrefixBits);
  return { clientHash, homes, others: new Rendezvous(members) };
}

function sameMembers(a: readonly PolicyMember[], b: readonly PolicyMember[]): boolean {
  return (
    a.length === b.length &&
    a.every((member, i) => member.name === b[i]?.name && member.weight === b[i]?.weight)
  );
}
