/** One TCP session as its worker holds it: what it is doing, and what its access line will say. */
import { present } from '../../core/assert.js';
import type { BackendId, PairId, SeriesId } from '../../core/brand.js';
import type { IpEndpoint, Peer } from '../../core/endpoint.js';
import type { End } from '../../core/outcome.js';
import type { Lease, PooledBackend } from '../../pool/selection.js';
import { forgetNotice, type Notice } from '../due.js';
import type { EarlyReading } from '../early/reading.js';
import { type Facts, NOTHING_KNOWN } from '../early/stage.js';
import type { ProxiedClient } from '../proxy_protocol/header.js';
import type { ListenerKey, TcpEngine } from '../tcp_port.js';
import type { TcpFace, TcpListener } from './listener.js';
import type { Paths } from './paths.js';
import type { WaitingSessions } from './waiting.js';
import type { Ways } from './ways.js';

/** What a session does now. Each arm says what is true in it. */
export type SessionPhase =
  /** Accepted although the listener is at its cap: not counted, nothing read, nothing checked. */
  | { readonly at: 'entering' }
  /** Counted at the listener; the stages look at the client's first bytes. */
  | { readonly at: 'early'; readonly reading: EarlyReading }
  /** Counted; its CancelRequest is on its way to backends, and nothing else will follow. */
  | { readonly at: 'cancelling' }
  /** Counted; a backend is being chosen, or was found wanting, in this very moment. */
  | { readonly at: 'choosing' }
  /** No backend has had a verdict yet; no reservation. */
  | { readonly at: 'unproven' }
  /** This machine lacked a descriptor or a port for the dial; tries again soon. */
  | { readonly at: 'resting' }
  /** Every backend is full, or the pool is held; holds a ticket of its queue, no reservation. */
  | {
      readonly at: 'queued';
      readonly ticket: number;
      readonly sinceMs: number;
      /** Since when `queue_timeout` counts: since then, or the end of a hold. */
      readonly countsFromMs: number;
    }
  /** Holds a reservation; the engine connects. */
  | { readonly at: 'dialling'; readonly lease: Lease; readonly sinceMs: number }
  /** Holds a reservation; connected, and the backend is asked whether it speaks TLS. */
  | { readonly at: 'asking'; readonly lease: Lease }
  /** Holds a reservation; bytes move. */
  | { readonly at: 'relaying'; readonly lease: Lease; readonly sinceMs: number }
  /** `close` was called; the reservation (if any) stays until the engine reports `closed`. */
  | { readonly at: 'closing'; readonly lease: Lease | null; readonly end: End };

export class TcpSession {
  phase: SessionPhase = { at: 'entering' };
  /** Backends dialled in vain; null = none. */
  tried: PooledBackend[] | null = null;
  triedIds: BackendId[] | null = null;
  /** What the early stages have found out. */
  facts: Facts = NOTHING_KNOWN;
  queueMs: number | null = null;
  connectMs: number | null = null;
  firstByteMs: number | null = null;
  /** When the relay began; null: it did not. */
  relayedMs: number | null = null;
  /** When `max_session_age` ends it; Infinity: never. */
  expiresMs = Number.POSITIVE_INFINITY;
  /** Until when dials that lack a descriptor or a port are tried again; null: none lacked any. */
  restUntilMs: number | null = null;
  /** Further addresses to dial from, should the one in use have no free port. */
  sources: readonly IpEndpoint[] = [];
  /** What the last dial lacked here, of all its addresses. */
  lacks: 'resource-limit' | 'no-source-address' = 'no-source-address';
  notice: Notice | null = null;
  /** null: the kernel was not asked; see paths.ts. */
  paths: Paths | null = null;
  /** Where bytes and activity are counted; the listener's own row until a backend is dialled. */
  series: SeriesId;
  /** Bytes already added to the series. */
  countedIn = 0;
  countedOut = 0;
  /** The backend of the last dial, for the access line. */
  backend: PooledBackend | null = null;

  /**
   * The pool of the last choice; after a reload the next one is where the listener leads then.
   * null: its route is not known yet, or refuses it.
   */
  way: WaitingSessions | null;
  /** Where it was found to go by the routes of `ways`: asked once for each plan of its listener. */
  #found: { readonly ways: Ways; readonly waiting: WaitingSessions | null } | null = null;

  readonly pair: PairId;
  /** See session_ids.ts. */
  readonly number: number;
  readonly listener: TcpListener;
  /** The socket at which its client came. */
  readonly key: ListenerKey;
  readonly acceptedMs: number;

  constructor(
    pair: PairId,
    number: number,
    listener: TcpListener,
    key: ListenerKey,
    acceptedMs: number,
  ) {
    this.pair = pair;
    this.number = number;
    this.listener = listener;
    this.key = key;
    this.acceptedMs = acceptedMs;
    this.series = listener.plan.series;
    this.way = this.face.ways.only;
  }

  /** Of a session that chooses, or has chosen. */
  get waiting(): WaitingSessions {
    return present(this.way, 'a session that chooses has its route');
  }

  /** What its listener says of it. */
  get face(): TcpFace {
    return this.listener.faceAt(this.key);
  }

  /**
   * Where its next choice is: where its listener leads now. Whose socket is closed or another
   * listener's stays where it came, as long as that is there. null: its listener refuses it.
   */
  leadsTo(engine: Pick<TcpEngine, 'client'>): WaitingSessions | null {
    const { way } = this;
    const isOpen = this.listener.keys.has(this.key);
    if (!isOpen && way !== null && way.state !== 'removed') return way;
    const { ways } = this.face;
    if (!ways.areMany) return ways.only;
    if (this.#found?.ways !== ways) {
      const waiting = ways.find(this.facts, this.client(engine.client(this.pair)));
      this.#found = { ways, waiting };
    }
    return this.#found.waiting;
  }

  /** From a trusted proxy's header; null: the socket's own addresses count. */
  get proxied(): ProxiedClient | null {
    return this.facts.proxied;
  }

  /** Where the client really is: behind a trusted proxy what its header says. */
  client(socketPeer: Peer): Peer {
    return this.proxied?.source ?? socketPeer;
  }

  dials(lease: Lease, sinceMs: number): void {
    this.phase = { at: 'dialling', lease, sinceMs };
    forgetNotice(this, lease.id);
  }

  /** Remembers a dial that failed, so that this backend is never tried again. */
  addTried(backend: PooledBackend): void {
    this.tried = [...(this.tried ?? []), backend];
    this.triedIds = [...(this.triedIds ?? []), backend.id];
  }
}
