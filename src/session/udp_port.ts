/**
 * The narrow seam between the life of a UDP flow and the engine that performs its IO, as tcp_port.ts
 * is for TCP. A flow is a client's address and port at one listening socket (and, on a wildcard
 * bind, the local address that it used), with one connected upstream socket.
 *
 *   newFlow ─► openFlow ─► (datagrams both ways) ─► closeFlow ─► flow number free
 *                 ▲ └──────── 'hold' ◄────┘ fromClient
 *
 * The datagram that opened a flow is never lost: the engine sends it as soon as `openFlow` was
 * called, inside or after `newFlow`. Until then it holds what comes for the flow, in order, at most
 * HELD_DATAGRAMS a flow and HELD_DATAGRAM_BYTES over all (beyond: `dropped` with 'send-queue-full').
 */
import type { FlowId } from '../core/brand.js';
import type { Endpoint, IpEndpoint } from '../core/endpoint.js';
import type { DatagramDrop } from '../core/outcome.js';
import type { ListenSource } from '../core/plan.js';
import type { ListenerKey, ListenOutcome } from './tcp_port.js';

export interface UdpEngine {
  /** By flow: when a datagram last moved either way, on the engine's `Clock`. */
  readonly lastActivityMs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  readonly datagramsIn: Float64Array;
  readonly datagramsOut: Float64Array;
  readonly capacity: number;

  /** `proxied`: each datagram begins with a PROXY header, which `unwrap` reads. */
  openListener(
    key: ListenerKey,
    source: ListenSource,
    framing: 'plain' | 'proxied',
  ): Promise<ListenOutcome>;
  /** Stops receiving from new and known clients; flows must have been closed before. */
  closeListener(key: ListenerKey): void;

  /** The client's address (behind a trusted proxy: the socket's peer is the proxy). */
  client(flow: FlowId): IpEndpoint;
  local(flow: FlowId): IpEndpoint;

  /**
   * Connects the flow upstream, or moves an open flow to another backend, and sends what was held.
   * `prelude` (or null) goes in front of every datagram. `failed`: no descriptor or no route; the
   * flow has no upstream socket then, and holds what it held.
   */
  openFlow(flow: FlowId, target: Endpoint, prelude: Uint8Array | null): 'open' | 'failed';
  /**
   * Closes the upstream socket and forgets the key; to be called from any edge but `newFlow` and
   * `unwrap`. The number is free when the call returns. Returns how many held datagrams were lost.
   */
  closeFlow(flow: FlowId): number;
}

/**
 * What to do with a datagram that has come for a flow. `hold`: no backend yet; the engine closes
 * the upstream socket and holds this and later datagrams until `openFlow` or `closeFlow`.
 */
export type Verdict = 'forward' | 'hold' | 'drop';

export type Unwrapped =
  /** The payload begins at `offset`; `tag` tells clients behind one peer apart (part of the key). */
  | { readonly kind: 'payload'; readonly offset: number; readonly tag: string }
  | { readonly kind: 'drop'; readonly reason: DatagramDrop };

export interface UdpEdges {
  /**
   * Each datagram of a `proxied` listener, before its flow is looked up; `newFlow` for the same
   * datagram follows at once if the key is unknown. `datagram` is valid during the call only.
   */
  unwrap(key: ListenerKey, peer: IpEndpoint, datagram: Uint8Array): Unwrapped;
  /**
   * The first datagram of an unknown key. `payload` is valid during the call only. The session
   * calls `openFlow` (now, or later while verdicts are awaited) or answers with a reason to drop;
   * on a drop the number is free again.
   */
  newFlow(key: ListenerKey, flow: FlowId, payload: Uint8Array): 'kept' | DatagramDrop;
  /**
   * Before each datagram of an open flow towards its backend: the session may move the flow first
   * (`openFlow` again, when its backend is down, drained or gone) or close it and answer `drop`;
   * the session counts what it drops. Must not allocate when nothing changes.
   */
  fromClient(flow: FlowId): Verdict;
  /** After each reply was handed to the client's socket; the session may close the flow. */
  fromBackend(flow: FlowId): void;
  /** ICMP unreachable from the backend's host (ECONNREFUSED and its like), at most once a burst. */
  unreachable(flow: FlowId): void;
  /** A datagram was dropped by the engine; counted on the listener, or on the flow when it has one. */
  dropped(key: ListenerKey, flow: FlowId | null, reason: DatagramDrop): void;
}

/** Datagrams held for one flow that has no backend yet. */
export const HELD_DATAGRAMS = 16;
/** Bytes held for all such flows of one worker. */
export const HELD_DATAGRAM_BYTES = 4 * 1_048_576;
