/**
 * The narrow seam between the life of a UDP flow and the engine that performs its IO, as
 * tcp_port.ts is for TCP. A flow is a client's address and port at one listening socket (and, on a
 * wildcard bind, the local address that it used; behind a trusted proxy, the client that its header
 * names), with one connected upstream socket.
 *
 *   newFlow ─► openFlow ─► (datagrams both ways) ─► closeFlow ─► flow number free
 *                 ▲ └──────── 'hold' ◄────┘ fromClient
 *
 * The datagram that opened a flow is never lost: the engine sends it as soon as `openFlow` was
 * called, inside or after `newFlow`. Until then it holds what comes for the flow, in order, at most
 * HELD_DATAGRAMS a flow and HELD_DATAGRAM_BYTES over all (beyond: `dropped` with
 * 'send-queue-full').
 *
 * An engine never ends a flow: only `closeFlow` does, and at once. So there is no end that the
 * engine knows and the session does not, and every call is about a flow that both know.
 *
 * Each side counts what it drops: the session every drop that it decides, the engine by `dropped`.
 * The engine drops a first datagram for which it has no number ('flow-limit') or which comes from a
 * listener of its own ('loop': it would be answered for ever), and what it cannot send, either way
 * ('too-large', 'send-error', 'send-queue-full'). What was not sent is not counted as passed.
 */
import type { FlowId } from '../core/brand.js';
import type { Endpoint, IpEndpoint, PeerEndpoint } from '../core/endpoint.js';
import type { DatagramDrop, DialFailure } from '../core/outcome.js';
import type { ListenSource } from '../core/plan.js';
import type { ListenerKey, ListenOutcome } from './tcp_port.js';

/** `proxied`: each datagram begins with a PROXY header, which `unwrap` reads. */
export type Framing = 'plain' | 'proxied';

export interface UdpEngine {
  /**
   * By flow: when a datagram was last handed on either way, on the engine's `Clock`; set at
   * `newFlow`.
   */
  readonly lastActivityMs: Float64Array;
  /**
   * By flow: payload bytes (no PROXY header) and datagrams handed on to the backend's socket, less
   * those that came back: each `unreachable` says so of one, which is taken away before.
   */
  readonly bytesIn: Float64Array;
  readonly datagramsIn: Float64Array;
  /** By flow: bytes and datagrams handed on to the client's socket. */
  readonly bytesOut: Float64Array;
  readonly datagramsOut: Float64Array;
  /** Numbers of flows are 0 to capacity - 1. */
  readonly capacity: number;

  /**
   * Starts receiving. Throws nothing: a failure comes back as a sentence with the errno's name.
   * `from` (null: none) is open by another descriptor of the same socket: it takes no more from
   * clients, as after `leaveListener`, and nothing that comes is lost between both.
   */
  openListener(
    key: ListenerKey,
    source: ListenSource,
    framing: Framing,
    from?: ListenerKey | null,
  ): Promise<ListenOutcome>;
  /** How datagrams are read from now on; the flows of the listener must have been closed before. */
  setFraming(key: ListenerKey, framing: Framing): void;
  /**
   * Takes no more from clients: what comes from now on stays in the socket, for another holder that
   * reads it. Resolves when all that had come before was handed on. Flows go on, and their replies
   * leave.
   */
  leaveListener(key: ListenerKey): Promise<void>;
  /**
   * Closes the socket, whose flows must have been closed before. `leaveListener` comes first, or
   * what is on its way is lost.
   */
  closeListener(key: ListenerKey): void;

  /** The socket's peer (behind a trusted proxy that is the proxy); valid until `closeFlow`. */
  client(flow: FlowId): PeerEndpoint;
  /** The address that the client sent to. */
  local(flow: FlowId): IpEndpoint;

  /**
   * Connects the flow upstream, or moves an open flow to another backend, and sends what was held.
   * `prelude` (or null) goes in front of every datagram. A failure: the flow has no upstream socket
   * then, and holds what it held; another `openFlow` may come at once. `source`: as of `dial`.
   */
  openFlow(
    flow: FlowId,
    target: Endpoint,
    prelude: Uint8Array | null,
    source?: IpEndpoint | null,
  ): 'open' | DialFailure;
  /**
   * Closes the upstream socket and forgets the key. The number is free when the call returns. May
   * be called at any time but inside the flow's own `newFlow`, inside its `fromClient` only with
   * the answer `drop`. Returns how many held datagrams were lost.
   */
  closeFlow(flow: FlowId): number;
}

/**
 * What to do with a datagram that has come for a flow. `hold`: no backend yet; the engine closes
 * the upstream socket and holds this and later datagrams until `openFlow` or `closeFlow`.
 */
export type DatagramDecision = 'forward' | 'hold' | 'drop';

/** How a datagram was counted: which way it went, and its payload. */
export interface HandedOn {
  readonly way: 'in' | 'out';
  readonly bytes: number;
}

export type Unwrapped =
  /**
   * The payload begins at `offset`; `tag` distinguishes clients behind one peer (part of the key).
   */
  | { readonly kind: 'payload'; readonly offset: number; readonly tag: string }
  | { readonly kind: 'drop'; readonly reason: DatagramDrop };

export interface UdpEdges {
  /**
   * Each datagram of a `proxied` listener, before its flow is looked up; `newFlow` for the same
   * datagram follows at once if the key is unknown. `datagram` is valid during the call only.
   */
  unwrap(key: ListenerKey, peer: PeerEndpoint, datagram: Uint8Array): Unwrapped;
  /**
   * The first datagram of an unknown key. The session calls `openFlow` (now, or later while
   * verdicts are awaited) or answers with a reason to drop; on a drop the number is free again.
   */
  newFlow(key: ListenerKey, flow: FlowId): 'kept' | DatagramDrop;
  /**
   * Before each datagram towards the backend of a flow that is not held. The session may move the
   * flow first (`openFlow` again, when its backend is down, drained or gone) or close it and answer
   * `drop`. Does not allocate when nothing changes.
   */
  fromClient(flow: FlowId): DatagramDecision;
  /** After each reply was handed to the client's socket; the session may close the flow. */
  fromBackend(flow: FlowId): void;
  /**
   * ICMP unreachable from the backend's host (ECONNREFUSED and its like), at most once a burst.
   * `first`: it is about the only datagram of the flow so far, and the engine holds that again: the
   * session may call `openFlow`, or answer `hold` or `drop`. `later`: the answer does not matter.
   */
  unreachable(flow: FlowId, which: 'first' | 'later'): DatagramDecision;
  /**
   * A datagram was dropped by the engine; counted on the listener, or on the flow when it has one.
   * Of one whose flow is over `key` may be closed by now, and `counted` says what that flow counted
   * of it, if it did: each datagram is counted once, so that is to be taken back.
   */
  dropped(key: ListenerKey, flow: FlowId | null, reason: DatagramDrop, counted?: HandedOn): void;
  /**
   * An invariant broke while the engine dealt with this flow alone (null: with a datagram that has
   * none): the session calls `closeFlow`. Throws when it cannot.
   */
  broken(flow: FlowId | null, error: unknown): void;
}

/** Datagrams held for one flow that has no backend yet. */
export const HELD_DATAGRAMS = 16;
/** Bytes held for all such flows of one worker. */
export const HELD_DATAGRAM_BYTES = 4 * 1_048_576;
