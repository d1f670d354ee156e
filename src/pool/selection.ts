/**
 * What a session or a flow sees of its pool: it asks for a backend and gets a lease, or the reason
 * why there is none. Choosing reserves: the active count has moved when `select` returns.
 */
import type { BackendId } from '../core/brand.js';
import type { Endpoint } from '../core/endpoint.js';
import type { PoolSettings } from '../core/spec.js';
import type { SourceList } from './source_turns.js';

export interface PooledBackend {
  readonly id: BackendId;
  readonly name: string;
  readonly endpoint: Endpoint;
}

export interface SelectRequest {
  /**
   * The client's address: 4 or 16 bytes; empty for a UNIX peer. Read only if the pool
   * `needsClientKey`.
   */
  readonly clientKey: Uint8Array;
  /** Backends that this session has tried in vain; null = none yet. */
  readonly tried: readonly BackendId[] | null;
}

export type Selection =
  | { readonly kind: 'chosen'; readonly lease: Lease }
  /** Nothing is eligible, but some backends have had no verdict yet: wait for it. */
  | { readonly kind: 'unproven' }
  | { readonly kind: 'none'; readonly reason: 'no-backend' | 'all-down' | 'all-full' };

/** How the use of a backend went, for passive health. */
export type Settlement =
  /** Dialled, and it answered or the client ended it: the backend is well. */
  | 'served'
  /** The dial failed, or it reset before its first byte. */
  | 'failed'
  /**
   * It took the client's bytes and never answered, for UNANSWERED_MS or longer. A failure where
   * backends of the pool do answer; a protocol without answers is none.
   */
  | 'unanswered'
  /** Says nothing about the backend: given up by the client or by sluice before an answer. */
  | 'neutral';

/** How long a client waits for a first byte before its leaving says something about the backend. */
export const UNANSWERED_MS = 1_000;

/** A reservation. It is settled exactly once, whatever happens. */
export interface Lease {
  readonly backend: PooledBackend;
  /** As `backend.id` has it: among thousands of backends that object is in no cache. */
  readonly id: BackendId;
  readonly endpoint: Endpoint;
  /** Reports how long the connect took, for latency-aware policies. */
  connected(connectMs: number): void;
  /** Reports how long the backend took to its first byte after the connect. */
  answered(firstByteMs: number): void;
  /** Gives the reservation back; a second call is a broken invariant. */
  settle(settlement: Settlement): void;
}

/** One pool, as one worker sees it. */
export interface SelectablePool {
  readonly name: string;
  readonly settings: PoolSettings;
  /** False: `SelectRequest.clientKey` is not read and may be empty. */
  readonly needsClientKey: boolean;
  select(request: SelectRequest): Selection;
  /** Where a dial to `target` may come from: the first, or, where that has no port, the next. */
  sourcesFor(target: Endpoint): SourceList;
  /**
   * False when what runs on `backend` must go elsewhere: health declared it down, or it was drained
   * past its time or removed. One or two loads from shared memory; allocates nothing.
   */
  mayStay(backend: BackendId): boolean;
}
