/**
 * The contract of a source: it is asked, and answers with all members that it knows, or with the
 * reason why it cannot. It has no access to a pool, remembers no set, and removes nothing: the
 * witness says what an answer means for the members that serve (witness.ts).
 */
import type { Clock, Timers } from '../core/clock.js';
import type { SourceFailure } from '../core/discovery_spec.js';
import type { Address } from '../core/endpoint.js';
import type { Random } from '../core/random.js';
import type { Redactor } from '../secrets/redactor.js';

/** One that a source names. */
export interface Member {
  readonly address: Address;
  /** null: its address. */
  readonly name: string | null;
  /** 0 to 1000 */
  readonly weight: number;
  /** 0: none; null: the pool's. */
  readonly maxConnections: number | null;
  readonly backup: boolean;
  /** null: the source has no roles. */
  readonly role: 'primary' | 'replica' | null;
  /** `drain`: it keeps its sessions and gets no new ones. */
  readonly wanted: 'serve' | 'drain';
}

export interface SourceFailed {
  readonly kind: 'failed';
  readonly failure: SourceFailure;
  /** For people: a clause that ends a sentence. */
  readonly problem: string;
}

export interface Members {
  readonly kind: 'members';
  readonly members: readonly Member[];
  /** Known, in another role than the one that was asked for: they leave at once. */
  readonly elsewhere: readonly Address[];
  /** What the source named and cannot be used, a clause each. */
  readonly leftOut: readonly string[];
  /** What else people should know of it, though all of it counts: a clause each. */
  readonly remarks: readonly string[];
  /** When it is worth asking again. */
  readonly againMs: number;
}

export type SourceAnswer =
  | Members
  /** The last answer still holds. */
  | { readonly kind: 'unchanged'; readonly againMs: number }
  | SourceFailed;

/** What of an AbortSignal is used. */
export interface GiveUp {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface Source {
  /**
   * One question. The first is answered at once; later ones may wait for news where the source can
   * report them. It never rejects, and ends by itself: every wait in it has a limit.
   */
  ask(giveUp: GiveUp): Promise<SourceAnswer>;
}

/** What sources take as arguments. */
export interface SourceDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

/** What those take that are sent secrets. */
export interface SecretDeps extends SourceDeps {
  /** Learns each secret before it is sent. */
  readonly redactor: Redactor;
}

export function sourceFailed(failure: SourceFailure, problem: string): SourceFailed {
  return { kind: 'failed', failure, problem };
}

/** Members of a source without roles. */
export function membersFound(
  members: readonly Member[],
  againMs: number,
  leftOut: readonly string[] = [],
  remarks: readonly string[] = [],
): Members {
  return { kind: 'members', members, elsewhere: [], leftOut, remarks, againMs };
}

/** A member of which the source says nothing but the address. */
export function plainMember(address: Address): Member {
  return {
    address,
    name: null,
    weight: 1,
    maxConnections: null,
    backup: false,
    role: null,
    wanted: 'serve',
  };
}
