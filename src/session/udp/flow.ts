/** One UDP flow as its worker holds it: what it is doing, and what its access line will say. */
import type { BackendId, FlowId, SeriesId } from '../../core/brand.js';
import type { Peer } from '../../core/endpoint.js';
import type { Lease, PooledBackend, SelectablePool } from '../../pool/selection.js';
import type { Notice } from '../due.js';
import type { ProxiedClient } from '../proxy_protocol/header.js';
import type { ListenerKey } from '../tcp_port.js';
import type { UdpListener } from './listener.js';
import { noneHandedOn } from './taken_back.js';

/** What a flow does now. Each arm says what is true in it. */
export type FlowPhase =
  /** Holds a reservation and an upstream socket; datagrams move. */
  | { readonly at: 'open'; readonly lease: Lease }
  /**
   * No backend has had a verdict yet, or the pool is held (`untilMs` is Infinity): no reservation,
   * and the engine holds what comes.
   */
  | { readonly at: 'unproven'; readonly untilMs: number }
  /**
   * Its backend failed or must not serve any more: no reservation; the next datagram chooses again.
   */
  | { readonly at: 'adrift' };

export const ADRIFT: FlowPhase = { at: 'adrift' };

export class UdpFlow {
  readonly id: FlowId;
  /** See session_ids.ts. */
  readonly number: number;
  /** The socket at which the client is. */
  readonly key: ListenerKey;
  readonly listener: UdpListener;
  /** From a trusted proxy's header; null: the socket's own addresses count. */
  readonly proxied: ProxiedClient | null;
  readonly startedMs: number;
  phase: FlowPhase = ADRIFT;
  /** Backends that were unreachable since one answered; null = none. */
  tried: BackendId[] | null = null;
  /** Names of all backends that were unreachable, each once, for the access line. */
  triedNames: string[] | null = null;
  /** The pool that chose the present backend: a reload may have led the listener elsewhere. */
  pool: SelectablePool | null = null;
  /** The last backend, for the access line. */
  backend: PooledBackend | null = null;
  /** Where bytes and activity are counted; the listener's own row until a backend is chosen. */
  series: SeriesId;
  /** When the present backend was chosen. */
  openedMs = 0;
  /** Whether the present backend has answered. */
  answered: 'no' | 'yes' = 'no';
  /** From the choice of the first backend that answered to its first answer. */
  firstByteMs: number | null = null;
  /** A backend that should not serve was chosen for want of others: it is kept until then. */
  pinnedUntilMs = 0;
  /** When `max_session_age` ends the flow; Infinity: never. */
  expiresMs = Number.POSITIVE_INFINITY;
  notice: Notice | null = null;
  /** `handed over`: another worker receives what the client sends; only replies pass here. */
  socket: 'ours' | 'handed over' = 'ours';
  /** What was already added to the series. */
  readonly counted = noneHandedOn();

  constructor(
    id: FlowId,
    number: number,
    key: ListenerKey,
    listener: UdpListener,
    proxied: ProxiedClient | null,
    startedMs: number,
  ) {
    this.id = id;
    this.number = number;
    this.key = key;
    this.listener = listener;
    this.proxied = proxied;
    this.startedMs = startedMs;
    this.series = listener.plan.series;
  }

  /** Where its next choice is: where its listener leads now. */
  get leadsTo(): SelectablePool {
    return this.listener.faceAt(this.key).pool;
  }

  /** Where the client really is: behind a trusted proxy what its header says. */
  client(socketPeer: Peer): Peer {
    return this.proxied?.source ?? socketPeer;
  }

  /** The present backend has answered for the first time; how long that took. */
  hasAnswered(nowMs: number): number {
    const tookMs = nowMs - this.openedMs;
    this.answered = 'yes';
    this.tried = null;
    this.firstByteMs ??= tookMs;
    return tookMs;
  }

  /** Remembers an unreachable backend: others come first until one answers. */
  addTried(backend: PooledBackend): void {
    if (!this.tried?.includes(backend.id)) this.tried = [...(this.tried ?? []), backend.id];
    if (!this.triedNames?.includes(backend.name)) {
      this.triedNames = [...(this.triedNames ?? []), backend.name];
    }
  }
}
