/** A pool of any size for a policy to choose in, with sessions that come and go as they do. */
import { CandidateSet } from '../../src/balance/candidate_set.js';
import type { PolicyMember } from '../../src/balance/policy.js';
import { createPolicy } from '../../src/balance/registry.js';
import { OwnTurns } from '../../src/balance/turns.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import type { PolicySpec } from '../../src/core/spec.js';

/** Which backends of the pool are eligible. */
export const SHARES = ['all up', 'half down', 'one up'] as const;
export type Share = (typeof SHARES)[number];

export interface Case {
  readonly name: string;
  readonly policy: PolicySpec;
}

/** Sessions that are open at any time, for each eligible backend. */
const OPEN_EACH = 4;
/** 2^20 clients at most, so that no choice is like the last one. */
const CLIENT_MASK = 2 ** 20 - 1;

export class Subject {
  readonly #candidates: CandidateSet;
  readonly #active: Int32Array;
  readonly #random: Random;
  readonly #clientKey = new Uint8Array(4);
  /** Open sessions, oldest first, round and round. */
  readonly #open: Int32Array;
  #next = 0;
  #clients = 0;

  constructor({ policy }: Case, size: number, share: Share) {
    const random = seededRandom(size);
    const members: PolicyMember[] = Array.from({ length: size }, (_, index) => ({
      name: `10.0.${index >> 8}.${index & 255}:5432`,
      weight: 1 + (index % 3),
    }));
    const active = new Int32Array(size);
    const latencies = Float64Array.from(members, () => 1 + random.next());
    this.#active = active;
    this.#random = random;
    this.#candidates = new CandidateSet(size, {
      nowMs: 0,
      activeOf: (member) => active[member] ?? 0,
      latencyMsOf: (member) => latencies[member] ?? 0,
      failureRateOf: () => 0,
    });
    for (const [index, { weight }] of members.entries()) {
      if (isEligible(share, index)) this.#candidates.put(index, weight);
    }
    const { count } = this.#candidates;
    this.#candidates.chooseBy(createPolicy(policy, members, new OwnTurns()));
    this.#open = new Int32Array(OPEN_EACH * count).fill(-1);
    // Full before anything is measured.
    this.choose(this.#open.length);
  }

  /** This many sessions come, and as many old ones go. */
  choose(sessions: number): void {
    const open = this.#open;
    for (let n = 0; n < sessions; n++) {
      this.#count(open[this.#next] ?? -1, -1);
      this.#clients = (this.#clients + 1 + below(this.#random, 8)) & CLIENT_MASK;
      const client = this.#clients;
      this.#clientKey[1] = client >> 16;
      this.#clientKey[2] = client >> 8;
      this.#clientKey[3] = client;
      const chosen = this.#candidates.choose(this.#clientKey, this.#random);
      this.#count(chosen, 1);
      open[this.#next] = chosen;
      if (++this.#next === open.length) this.#next = 0;
    }
  }

  #count(member: number, change: 1 | -1): void {
    if (member < 0) return;
    this.#active[member] = (this.#active[member] ?? 0) + change;
    this.#candidates.counted(member);
  }
}

export function isEligible(share: Share, index: number): boolean {
  switch (share) {
    case 'all up':
      return true;
    case 'half down':
      return index % 2 === 0;
    case 'one up':
      return index === 0;
  }
}
