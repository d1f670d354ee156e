/**
 * `sluice/algorithms`: every way of choosing, to be used alone. No sockets, no timers, no clock
 * that is not given: an object knows its members and what was reported about them.
 *
 * There is no pure least-response-time: the quickest member of an instant would get all requests
 * until it is slow, and one without requests would never show that it is quick again. `least-
 * latency` compares two draws by their peak EWMA instead, times the requests that would share it.
 */
import { CandidateSet } from '../balance/candidate_set.js';
import { ClientHash } from '../balance/client_hash.js';
import { maglevTable } from '../balance/maglev.js';
import type { Policy } from '../balance/policy.js';
import { createPolicy, KEYLESS_NAMES, type KeylessName } from '../balance/registry.js';
import { hashRing, MAX_RING_MEMBERS } from '../balance/ring.js';
import { OwnTurns } from '../balance/turns.js';
import { isPrime, nextPrime } from '../core/prime.js';
import type { Random } from '../core/random.js';
import { atOnce } from '../core/stretches.js';
import { isRecord } from '../core/unknown.js';
import { Learnt } from '../pool/learnt.js';
import { systemClock } from '../system/clock.js';
import { systemRandom } from '../system/random.js';
import { clientKeyOf, type Key, mustBeKey } from './client_key.js';
import { OptionsError } from './errors.js';
import { known, misfit, wholeBetween } from './misfit.js';

/** `round-robin` is smooth where weights differ: exact shares over a period, never in clumps. */
export type Algorithm = KeylessName;

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
    if (!KEYLESS_NAMES.includes(algorithm)) {
      const expected = `one of: ${KEYLESS_NAMES.join(', ')}`;
      throw misfit('algorithm', 'unknown value', expected, algorithm);
    }
    const given = known(options, PICKER) ?? {};
    const { random = systemRandom, nowMs = systemClock.nowMs } = given;
    this.#random = random;
    this.#clock = nowMs;
    this.#policy = createPolicy({ name: algorithm }, [], new OwnTurns());
    this.#candidates = new CandidateSet(0, this.#figures());
    this.update(members);
  }

  /** Other members, or weights; counts, latencies and failures of those that stay are kept. */
  update(members: readonly M[]): void {
    mustBeMembers(members);
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
    if (!Array.isArray(except)) throw misfit('except', 'wrong type', 'a list of names', except);
    this.#nowMs = this.#clock();
    const left = (except as readonly string[]).flatMap((name) => this.#indices.get(name) ?? []);
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
    if (!isRecord(member)) throw misfit('member', 'wrong type', 'what pick gave', member);
    if ((this.#active.get(member.name) ?? 0) === 0) return;
    this.#count(member, -1);
    const index = this.#indices.get(member.name);
    if (index === undefined) return;
    this.#nowMs = this.#clock();
    if (isTime(tookMs)) this.#learnt.took(index, tookMs, this.#nowMs);
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

const PICKED = { random: '', nowMs: '' } satisfies Readonly<Record<keyof PickerOptions, string>>;
const PICKER: ReadonlySet<string> = new Set(Object.keys(PICKED));
const MAX_WEIGHT = 1_000;
const NO_KEY = new Uint8Array(0);

/** What else a caller measured would spoil every later comparison. */
function isTime(tookMs: number | undefined): tookMs is number {
  return tookMs !== undefined && Number.isFinite(tookMs) && tookMs >= 0;
}

function mustBeMembers(members: readonly PickerMember[]): void {
  if (!Array.isArray(members)) throw misfit('members', 'wrong type', 'a list', members);
  const names = new Set<string>();
  for (const [index, member] of (members as readonly PickerMember[]).entries()) {
    const at = `members[${index}]`;
    if (!isRecord(member)) throw misfit(at, 'wrong type', 'an object with a name', member);
    const { name, weight } = member;
    if (typeof name !== 'string') throw misfit(`${at}.name`, 'wrong type', 'a string', name);
    if (names.has(name)) throw misfit(`${at}.name`, 'twice', 'a name of its own', name);
    names.add(name);
    if (weight !== undefined) wholeBetween(`${at}.weight`, weight, 0, MAX_WEIGHT);
  }
}

export interface RingOptions {
  /** Points of a member of weight 1; more spread better. */
  readonly virtualNodes?: number;
}
export interface MaglevOptions {
  /** Entries; a prime, best above 100 times the number of members. */
  readonly tableSize?: number;
}

const RING: ReadonlySet<string> = new Set<keyof RingOptions>(['virtualNodes']);
const MAGLEV: ReadonlySet<string> = new Set<keyof MaglevOptions>(['tableSize']);
const VIRTUAL_NODES = 150;
const MAX_VIRTUAL_NODES = 10_000;
const TABLE_SIZE = 65_537;
/** Those of the file. */
const MIN_TABLE_SIZE = 3;
const MAX_TABLE_SIZE = 5_000_011;
const PREFIX_BITS = 64;

/**
 * By key, the member whose point on the ring comes next; null without members. There may be 65,536
 * of them.
 */
export function hashRingOf<M extends PickerMember>(
  members: readonly M[],
  options: RingOptions = {},
): (key: Key) => M | null {
  mustBeMembers(members);
  if (members.length > MAX_RING_MEMBERS) {
    throw new OptionsError([
      `too many members (expected at most ${MAX_RING_MEMBERS}; got ${members.length})`,
    ]);
  }
  const { virtualNodes = VIRTUAL_NODES } = known(options, RING) ?? {};
  const points = wholeBetween('virtualNodes', virtualNodes, 1, MAX_VIRTUAL_NODES);
  return homesIn(members, atOnce(hashRing(placed(members), points)));
}

/** By key, the member that the table has at its hash: the most even of both. */
export function maglevOf<M extends PickerMember>(
  members: readonly M[],
  options: MaglevOptions = {},
): (key: Key) => M | null {
  mustBeMembers(members);
  const { tableSize = TABLE_SIZE } = known(options, MAGLEV) ?? {};
  const size = wholeBetween('tableSize', tableSize, MIN_TABLE_SIZE, MAX_TABLE_SIZE);
  if (!isPrime(size)) {
    throw misfit('tableSize', 'not a prime', `a prime, such as ${nextPrime(size)}`, size);
  }
  return homesIn(members, atOnce(maglevTable(placed(members), size)));
}

function placed(members: readonly PickerMember[]): { name: string; weight: number }[] {
  return members.map(({ name, weight = 1 }) => ({ name, weight }));
}

function homesIn<M extends PickerMember>(
  members: readonly M[],
  table: { home(hash: number): number },
): (key: Key) => M | null {
  const hash = new ClientHash(PREFIX_BITS);
  return (key) => members[table.home(hash.of(clientKeyOf(mustBeKey(key))))] ?? null;
}
