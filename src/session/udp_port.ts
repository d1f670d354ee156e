/**
 * The narrow seam between the life of a UDP flow and the engine that performs its IO, as tcp_port.ts
 * is for TCP. A flow is a client's address and port at one listening socket (and, on a wildcard
 * bind, the local address that it used), with one connected upstream socket.
 *
 *   newFlow ─► openFlow ─► (datagrams both ways) ─► flowFailed / closeFlow ─► flow number free
 *
 * The datagram that opened a flow is never lost: the engine sends it as soon as `openFlow` was
 * called, inside or after `newFlow` (it holds a bounded number of datagrams of unanswered keys).
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

  openListener(key: ListenerKey, source: ListenSource): Promise<ListenOutcome>;
  /** Stops receiving from new and known clients; flows must have been closed before. */
  closeListener(key: ListenerKey): void;

  /** The client's address (behind a trusted proxy: the socket's peer is the proxy). */
  client(flow: FlowId): IpEndpoint;
  local(flow: FlowId): IpEndpoint;

  /**
   * Connects the flow upstream, or moves an open flow to another backend. `prelude` (or null) goes
   * in front of every datagram. `openFailed`: no descriptor or no route; nothing was opened.
   */
  openFlow(flow: FlowId, target: Endpoint, prelude: Uint8Array | null): 'open' | 'failed';
  /** Closes the upstream socket and forgets the key. The number is free when the call returns. */
  closeFlow(flow: FlowId): void;
}

/** What to do with a datagram that has come for a flow. */
export type Verdict = 'forward' | 'drop';

export interface UdpEdges {
  /**
   * The first datagram of an unknown key. `payload` is valid during the call only. The session
   * calls `openFlow` (now, or later while verdicts are awaited) or answers with a reason to drop;
   * on a drop the number is free again.
   */
  newFlow(key: ListenerKey, flow: FlowId, payload: Uint8Array): 'kept' | DatagramDrop;
  /**
   * Before each datagram of an open flow towards its backend: the session may move the flow first
   * (`openFlow` again, when its backend is down, drained or gone). Must not allocate when nothing changes.
   */
  fromClient(flow: FlowId): Verdict;
  /** After each reply was handed to the client's socket; the session may close the flow. */
  fromBackend(flow: FlowId): void;
  /** ICMP unreachable from the backend's host (ECONNREFUSED and its like), at most once a burst. */
  unreachable(flow: FlowId): void;
  /** A datagram was dropped by the engine; counted on the listener, or on the flow when it has one. */
  dropped(key: ListenerKey, flow: FlowId | null, reason: DatagramDrop): void;
}
