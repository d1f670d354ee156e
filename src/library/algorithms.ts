/**
 * `sluice/algorithms`: every way of choosing, to be used alone. No sockets, no timers, no clock
 * that is not given: an object knows its members and what it was told about them.
 *
 * There is no pure least-response-time: whoever is quickest at this instant would get everybody
 * until it is slow, and one without any requests would never show that it is quick again. `least-
 * latency` compares two draws by their peak EWMA instead, times the requests that would share it.
 */
import { CandidateSet } from '../balance/candidate_set.js';
import { ClientHash } from '../balance/client_hash.js';
import { maglevTable } from '../balance/maglev.js';
import type { Policy } from '../balance/policy.js';
import { createPolicy } from '../balance/registry.js';
import { hashRing, MAX_RING_MEMBERS } from '../balance/ring.js';
import { OwnTurns } from '../balance/turns.js';
import type { Random } from '../core/random.js';
import { POLICY_NAMES, type PolicyName, type SourceHashSpec } from '../core/spec.js';
import { atOnce } from '../core/stretches.js';
import { Learnt } from '../pool/learnt.js';
import { systemClock } from '../system/clock.js';
import { systemRandom } from '../system/random.js';
import { clientKeyOf, type Key } from './client_key.js';
import { OptionsError } from './errors.js';

/** `round-robin` is smooth where weights differ: exact shares over a period, never in clumps. */
export type Algorithm = Exclude<PolicyName, SourceHashSpec['name']>;

export interface PickerMember {
  /** Unique; what is known about a member goes with its name. */
  readonly name: string;
  /** 0 to 1000; default 1. */
  readonly weight?: number;
}

export interface PickerOptions {
  readonly random?: Random;
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
}

export interface How {
  readonly tookMs?: number;
  /** Default: `ok`. */
  readonly result?: 'ok' | 'failed';
}

export class Picker<M extends PickerMember> {
  readonly #policy: Policy;
  readonly #random: Random;
  readonly #clock: () => number;
  #members: readonly M[] = [];
  #indices: ReadonlyMap<string, number> = new Map();
  #active = new Map<string, number>();
  #learnt = new Learnt(0);
  #candidates: CandidateSet;
  #nowMs = 0;

  constructor(algorithm: Algorithm, members: readonly M[], options: PickerOptions = {}) {
    if (!POLICY_NAMES.includes(algorithm)) {
      const known = POLICY_NAMES.join(', ');
      throw new OptionsError([`unknown algorithm (expected one of: ${known}; got "${algorithm}")`]);
    }
    const { random = systemRandom, nowMs = systemClock.nowMs } = options;
    this.#random = random;
    this.#clock = nowMs;
    this.#policy = createPolicy({ name: algorithm }, [], new OwnTurns());
    this.#candidates = new CandidateSet(0, this.#figures());
    this.update(members);
  }

  /** Other members, or weights; counts, latencies and failures of those that stay are kept. */
  update(members: readonly M[]): void {
    const learnt = new Learnt(members.length);
    for (const [index, { name }] of members.entries()) {
      const before = this.#indices.get(name);
      if (before !== undefined) learnt.adopt(index, this.#learnt, before);
    }
    this.#learnt = learnt;
    this.#members = [...members];
    this.#indices = new Map(members.map(({ name }, index) => [name, index]));
    this.#policy.update(members.map(({ name, weight = 1 }) => ({ name, weight })));
    this.#nowMs = this.#clock();
    this.#candidates = new CandidateSet(members.length, this.#figures());
    for (const [index, { weight = 1 }] of members.entries()) {
      if (weight > 0) this.#candidates.put(index, weight);
    }
    this.#candidates.chooseBy(this.#policy);
  }

  /** A member, which counts as busy until `done`; null when there is none but `except`. */
  pick(except: readonly string[] = []): M | null {
    this.#nowMs = this.#clock();
    const left = except.flatMap((name) => this.#indices.get(name) ?? []);
    for (const index of left) this.#candidates.remove(index);
    const chosen =
      this.#candidates.count === 0 ? -1 : this.#candidates.choose(NO_KEY, this.#random);
    for (const index of left) {
      const weight = this.#members[index]?.weight ?? 1;
      if (weight > 0) this.#candidates.put(index, weight);
    }
    const member = this.#members[chosen];
    if (member === undefined) return null;
    this.#count(member, 1);
    return member;
  }

  /** What `pick` gave is over, and how it went. */
  done(member: M, { tookMs, result = 'ok' }: How = {}): void {
    if ((this.#active.get(member.name) ?? 0) === 0) return;
    this.#count(member, -1);
    const index = this.#indices.get(member.name);
    if (index === undefined) return;
    this.#nowMs = this.#clock();
    if (tookMs !== undefined) this.#learnt.took(index, tookMs, this.#nowMs);
    this.#learnt.ended(index, result === 'failed' ? 1 : 0, this.#nowMs);
    if (this.#policy.needs.latency) this.#candidates.measured(index);
  }

  activeOf({ name }: PickerMember): number {
    return this.#active.get(name) ?? 0;
  }

  #count({ name }: M, step: 1 | -1): void {
    const active = (this.#active.get(name) ?? 0) + step;
    if (active === 0) this.#active.delete(name);
    else this.#active.set(name, active);
    const index = this.#indices.get(name);
    if (index !== undefined && this.#policy.needs.counts) this.#candidates.counted(index);
  }

  #figures() {
    const now = (): number => this.#nowMs;
    return {
      get nowMs() {
        return now();
      },
      activeOf: (index: number) => this.#active.get(this.#members[index]?.name ?? '') ?? 0,
      latencyMsOf: (index: number) => this.#learnt.latencyMs(index, this.#nowMs),
      failureRateOf: (index: number) => this.#learnt.failureRate(index, this.#nowMs),
    };
  }
}

const NO_KEY = new Uint8Array(0);

export interface RingOptions {
  /** Points of a member of weight 1; more spread better. */
  readonly virtualNodes?: number;
}
export interface MaglevOptions {
  /** Entries; a prime, best above 100 times the number of members. */
  readonly tableSize?: number;
}

const VIRTUAL_NODES = 150;
const TABLE_SIZE = 65_537;
const PREFIX_BITS = 64;

/**
 * By key, the member whose point on the ring comes next; null without members. There may be 65,536
 * of them.
 */
export function hashRingOf<M extends PickerMember>(
  members: readonly M[],
  { virtualNodes = VIRTUAL_NODES }: RingOptions = {},
): (key: Key) => M | null {
  if (members.length > MAX_RING_MEMBERS) {
    throw new OptionsError([
      `too many members (expected at most ${MAX_RING_MEMBERS}; got ${members.length})`,
    ]);
  }
  return homesIn(members, atOnce(hashRing(placed(members), virtualNodes)));
}

/** By key, the member that the table has at its hash: the most even of both. */
export function maglevOf<M extends PickerMember>(
  members: readonly M[],
  { tableSize = TABLE_SIZE }: MaglevOptions = {},
): (key: Key) => M | null {
  return homesIn(members, atOnce(maglevTable(placed(members), tableSize)));
}

function placed(members: readonly PickerMember[]): { name: string; weight: number }[] {
  return members.map(({ name, weight = 1 }) => ({ name, weight }));
}

function homesIn<M extends PickerMember>(
  members: readonly M[],
  table: { home(hash: number): number },
): (key: Key) => M | null {
  const hash = new ClientHash(PREFIX_BITS);
  return (key) => members[table.home(hash.of(clientKeyOf(key)))] ?? null;
}
