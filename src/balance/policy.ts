/**
 * The shape of every policy: which of the eligible backends serves this client? A policy is pure.
 * It never sees a socket, a clock or a health state: the pool reports which backends are eligible,
 * one change at a time, and counts what was chosen.
 *
 * A policy is what is learnt and laid out once for a pool's members (a hash table, when each was
 * chosen last). A chooser of it keeps what a choice needs ready for one set of candidates, so that
 * a choice looks at a few of them only, however many there are.
 */
import type { Random } from '../core/random.js';
import type { PolicyName } from '../core/spec.js';
import type { Stretches } from '../core/stretches.js';

/** A backend of the pool, eligible or not, in the pool's own stable numbering 0 to n - 1. */
export interface PolicyMember {
  /** Stable identity over reloads (the backend's name): what hashing places on the ring. */
  readonly name: string;
  /** As configured, 0 to 1000. */
  readonly weight: number;
}

/** What is known about members at this instant. */
export interface Figures {
  /** Sessions now, those being dialled included. */
  activeOf(member: number): number;
  /** Peak EWMA of connect and first-byte time in ms, as of `nowMs`; 0 = nothing known yet. */
  latencyMsOf(member: number): number;
  /** Share of recent dials and sessions that failed, 0 to 1, as of `nowMs`. */
  failureRateOf(member: number): number;
  /** Monotonic; moves only if the policy needs latency. */
  readonly nowMs: number;
}

/** The eligible backends of one tier. */
export interface Candidates extends Figures {
  readonly count: number;
  /** The member at `position`, 0 to count - 1, in no particular order. */
  at(position: number): number;
  has(member: number): boolean;
  /** Effective weight (slow start, degradation) of a candidate; above 0 where the pool asks. */
  weightOf(member: number): number;
}

export interface PolicyExplanation {
  readonly member: number;
  /** One that a reader understands. */
  readonly sentence: string;
}

/** Chooses among one set of candidates, and is called for everything that changes in it. */
export interface Chooser {
  /**
   * A candidate, of which there is one at least. `clientKey`: 4 or 16 bytes, empty for a UNIX peer.
   * Total: it returns for every set and every weight. Ties do not depend on order.
   */
  choose(clientKey: Uint8Array, random: Random): number;
  /**
   * What `choose` would answer with this `random`, and by which rule, without any change of state:
   * a round-robin does not advance. May look at all candidates. `random` is the caller's own.
   */
  explain(clientKey: Uint8Array, random: Random): PolicyExplanation;
  /**
   * What the rule compares `member`, a candidate, by: the least wins. null: it compares nothing, or
   * what it needs is not known yet.
   */
  scoreOf(member: number): number | null;

  /** `member` is a candidate now. */
  added(member: number): void;
  /** `member` is no candidate any more. */
  removed(member: number): void;
  /** A candidate's weight has changed. */
  weighed(member: number): void;
  /** A candidate's sessions have changed; called only if the policy needs counts. */
  counted(member: number): void;
  /** A candidate's latency or failures have changed, other than by fading; only if needed. */
  measured(member: number): void;
}

export interface Policy {
  readonly name: PolicyName;
  /** What must be known, or reported, for a choice: other policies are spared the work. */
  readonly needs: {
    readonly clientKey: boolean;
    readonly latency: boolean;
    /** Every change of a candidate's sessions is reported; otherwise they are only looked up. */
    readonly counts: boolean;
  };
  /** A chooser among `candidates`, which it may look through once now. */
  over(candidates: Candidates): Chooser;
  /**
   * New membership. What was learnt about members that stay (by name) is kept; earlier choosers
   * must not be used any more.
   */
  update(members: readonly PolicyMember[]): void;
  /**
   * Makes what takes long in an update to these very members ahead of it, while earlier choosers
   * go on. Without this call an update does the same in one go.
   */
  prepare?(members: readonly PolicyMember[]): Stretches;
}
