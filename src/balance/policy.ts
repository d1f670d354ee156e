/**
 * The shape of every policy: which of the eligible backends serves this client? A policy is pure.
 * It never sees a socket, a clock or a health state: the pool leaves out what is not eligible
 * before it asks, and it counts what was chosen.
 */
import type { Random } from '../core/random.js';
import type { HashSpec, PolicyName } from '../core/spec.js';
import type { Turns } from './turns.js';

/** A backend of the pool, eligible or not, in the pool's own stable numbering 0 to n - 1. */
export interface Member {
  /** Stable identity over reloads (the backend's name): what hashing places on the ring. */
  readonly name: string;
  /** As configured, 0 to 1000. */
  readonly weight: number;
}

/** What a choice may look at. The arrays belong to the pool and are valid during the call only. */
export interface Choice {
  /**
   * Indices into the members, in ascending order; only the first `eligibleCount` are valid, 1 or
   * more.
   */
  readonly eligible: Int32Array;
  readonly eligibleCount: number;
  /** By member index: sessions now, those being dialled included. */
  readonly active: Int32Array | Float64Array;
  /** By member index: effective weight (slow start, degradation) above 0 where eligible. */
  readonly weight: Float64Array;
  /** By member index: peak EWMA of connect and first-byte time in ms; 0 = nothing known yet. */
  readonly latencyMs: Float64Array;
  /** By member index: share of recent dials and sessions that failed, 0 to 1. */
  readonly failureRate: Float64Array;
  /** The client's address: 4 or 16 bytes; empty for a UNIX peer. */
  readonly clientKey: Uint8Array;
}

export interface Policy {
  readonly name: PolicyName;
  /**
   * True when `choose` reads `clientKey`, `latencyMs` or `failureRate`: others are spared the work
   * of filling them.
   */
  readonly needs: { readonly clientKey: boolean; readonly latency: boolean };
  /**
   * The member index of the choice, one of the first `eligibleCount` of `eligible`.
   * Total: it returns in O(members) for every set and every weight. Ties do not depend on order.
   */
  choose(choice: Choice, random: Random): number;
  /**
   * What `choose` would answer, in words: one sentence a reader understands, without any change of
   * state (a round-robin does not advance, no randomness is drawn).
   */
  explain(choice: Choice): string;
  /** New membership. What was learnt about members that stay (by name) is kept. */
  update(members: readonly Member[]): void;
}

export interface PolicyOptions {
  readonly hash: HashSpec;
  /** The position of a round-robin, which may be that of other threads, too. */
  readonly turns: Turns;
}

/** Makes a policy for a membership; called once a pool and worker. */
export type PolicyFactory = (members: readonly Member[], options: PolicyOptions) => Policy;
