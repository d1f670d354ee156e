/**
 * What the main thread asks workers, and what they answer: the only questions that have an answer.
 * A worker answers in stretches of half a millisecond, between which sessions have their turn.
 */
import type { PoolId, WorkerId } from './brand.js';
import type { Ineligible } from './outcome.js';
import type { AddressBlock } from './spec.js';

/** Which sessions and flows are meant; null: any. */
export interface SessionFilter {
  /** By its name. */
  readonly id: string | null;
  readonly listener: string | null;
  readonly pool: string | null;
  readonly backend: string | null;
  readonly client: AddressBlock | null;
  /** That old at least. */
  readonly olderMs: number;
  /** Without a byte for at least this long. */
  readonly idleMs: number;
}

/** What clients have most of; the highest comes first. */
export const CLIENT_SORTS = ['sessions', 'rate', 'bytes', 'refused'] as const;
export type ClientSort = (typeof CLIENT_SORTS)[number];

/** The oldest, those with most bytes, or those that have been idle longest come first. */
export const SESSION_SORTS = ['age', 'bytes', 'idle'] as const;
export type SessionSort = (typeof SESSION_SORTS)[number];

/** Where a session stands in an order: what it is sorted by, and among equals its name. */
export interface SessionPlace {
  readonly key: number;
  readonly id: string;
}

/** Sessions in one answer, at most. */
export const MAX_SESSIONS_LISTED = 10_000;

export type Question =
  | {
      readonly kind: 'sessions';
      readonly filter: SessionFilter;
      readonly sort: SessionSort;
      readonly limit: number;
      /** Only those behind it; null: from the first one on. */
      readonly after: SessionPlace | null;
    }
  | { readonly kind: 'kill'; readonly filter: SessionFilter; readonly spanMs: number }
  /** Which backend of `pool` a new client would get, and why. */
  | { readonly kind: 'explain'; readonly pool: PoolId; readonly clientKey: Uint8Array };

/**
 * What a session or flow does now: the phases of tcp/session.ts and udp/flow.ts. `draining`: its
 * bytes move, and it has a time by which it ends.
 */
export type SessionState =
  | 'early'
  | 'choosing'
  | 'unproven'
  | 'resting'
  | 'queued'
  | 'dialling'
  | 'relaying'
  | 'draining'
  | 'closing'
  | 'adrift';

export interface SessionRow extends SessionPlace {
  readonly listener: string;
  readonly pool: string;
  /** null: it has none now. */
  readonly backend: string | null;
  readonly client: string;
  readonly state: SessionState;
  /** Times on the clock that all threads share: only one of them says what is now. */
  readonly sinceMs: number;
  readonly activeMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Rows as they go over to another thread: see session_columns.ts. */
export interface SessionColumns {
  /** The id and the client of each, one behind the other. */
  readonly text: string;
  /** Of each: where its id and its client end in `text`. */
  readonly ends: Uint32Array;
  /** Of each: key, since when, active when, bytes in and out. */
  readonly figures: Float64Array;
  /** Of each: places in `words` of listener, pool, backend and state. */
  readonly places: Uint16Array;
  /** null: no backend. */
  readonly words: readonly (string | null)[];
}

/** One of any number of parts of an answer. */
export type AnswerPart =
  /** In no order. */
  | { readonly kind: 'sessions'; readonly columns: SessionColumns }
  | { readonly kind: 'killed'; readonly count: number }
  /** Members of the pool, in its order; `rule` is in a part of its own. */
  | { readonly kind: 'members'; readonly members: readonly ExplainedMember[] }
  | { readonly kind: 'rule'; readonly rule: ExplainedChoice };

export interface ExplainedMember {
  readonly name: string;
  /** Why it is not eligible now; null: it is. */
  readonly reason: Ineligible | null;
  /** What the policy compares it by, the least wins; null: nothing, or not known yet. */
  readonly score: number | null;
}

export interface ExplainedChoice {
  /** The name of a member; null: none. */
  readonly chosen: string | null;
  /** Why no backend is chosen; null: one is. */
  readonly whyNone: 'all-full' | 'unproven' | 'all-down' | 'no-backend' | null;
  /** By which rule, in a sentence; NO_CHOICE where no rule was asked. */
  readonly sentence: string;
}

export const NO_CHOICE = 'No backend is eligible.';

/** Sorts by key, and by name among equals: total, so that pages neither repeat nor skip. */
export function comesBefore(a: SessionPlace, b: SessionPlace): boolean {
  return a.key < b.key || (a.key === b.key && a.id < b.id);
}

/** What a worker's answer came to; `silent`: it did not come in time. */
export type WorkerReply =
  | { readonly kind: 'answered'; readonly worker: WorkerId; readonly parts: readonly AnswerPart[] }
  | { readonly kind: 'silent'; readonly worker: WorkerId };
