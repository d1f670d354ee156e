/**
 * The narrow seam between the life of a TCP session and the engine that performs its IO. TcpEngine
 * is what a session asks for, TcpEdges is what an engine reports. An engine has no access to a
 * policy, to health or to configuration; it owns sockets, buffers and back-pressure.
 *
 * A pair is a client socket and, once dialled, a backend socket. Its life:
 *
 *   accepted ─► [readEarly ─► earlyBytes… ─► earlyDone]… ─► dial ─► dialled ─► relay ─► closed
 *                                                               ├► ask ─► asked ─► relay …
 *                                                               └► dialFailed ─► dial …
 *
 * What a backend says in the relay is reported too where `overhear` was called before it.
 *
 * `close` may be called in every state but after `closed`; exactly one `closed` edge follows, never
 * from inside the call; only then may the engine use the pair's number again.
 *
 * A pair is *over* as soon as the engine knows its end (a peer has reset, a limit was met) or
 * `close` was called. A session cannot know the first before `closed` is reported, which may be
 * some turns later. Until then it may call everything that fits the state that it knows, and on a
 * pair that is over that changes nothing: no edge comes for it, and `closed` follows with the end
 * as it was. (Only `close(reset)` still cuts a flush short.) No edges but `parting` and `closed`
 * come for a pair that is over; its addresses and counters can be read until that has returned.
 *
 * A client's bytes that came before the relay began are kept (the engine reads at most `heldBytes`
 * ahead, so that it notices a client that went away) and are the first that the backend gets.
 */
import type { PairId } from '../core/brand.js';
import type { Endpoint, IpEndpoint, Peer } from '../core/endpoint.js';
import type { DialFailure } from '../core/outcome.js';
import type { PathInfo } from '../core/path_info.js';
import type { ListenSource } from '../core/plan.js';

export type ListenerKey = number;

export interface TcpEngine {
  /**
   * By pair: when bytes last moved either way, on the engine's `Clock`; set at accept and at relay.
   */
  readonly lastActivityMs: Float64Array;
  /** By pair: bytes read from the client and handed on to the backend's socket. */
  readonly bytesIn: Float64Array;
  /** By pair: bytes read from the backend and handed on to the client's socket. */
  readonly bytesOut: Float64Array;
  /** Numbers of pairs are 0 to capacity - 1. */
  readonly capacity: number;

  /** Starts accepting. Throws nothing: a failure comes back as a sentence with the errno's name. */
  openListener(key: ListenerKey, source: ListenSource, backlog: number): Promise<ListenOutcome>;
  /**
   * Stops accepting, also in the middle of a burst; clients wait in the kernel's backlog.
   * `resumeListener` undoes it.
   */
  pauseListener(key: ListenerKey): void;
  resumeListener(key: ListenerKey): void;
  /**
   * Closes the listening socket; pairs stay. The clients that wait in its backlog are accepted
   * first, within this call, unless the listener is paused.
   */
  closeListener(key: ListenerKey): void;

  /**
   * The client's address as it was at accept. This and `local` can be asked from `accepted` until
   * `closed` has returned, however the pair ends; asked or not, that costs nothing before.
   */
  client(pair: PairId): Peer;
  /**
   * The address that the client connected to: at a wildcard bind the one that it chose. Only if the
   * kernel does not say is it what the listener is bound to.
   */
  local(pair: PairId): Endpoint;

  /**
   * What the kernel knows of one connection of a pair, asked inside `parting`; null where it does
   * not say.
   */
  path(pair: PairId, side: 'client' | 'backend'): PathInfo | null;

  /**
   * Begins to report the client's bytes by `earlyBytes`, at most `limitBytes` (1 to HELD_BYTES) of
   * them; those that have come already are reported soon, as if they came now. Any number of times
   * before a dial, each time after `earlyDone`, also inside `earlyBytes`.
   */
  readEarly(pair: PairId, limitBytes: number): void;
  /**
   * Ends the reading. The first `consumed` of the bytes reported are forgotten; the rest is kept,
   * for the next reading and the backend.
   */
  earlyDone(pair: PairId, consumed: number): void;
  /**
   * Says a few bytes (at most ANSWER_BYTES) to the client, which has had nothing of the backend
   * yet: before or while a dial runs. They do not count as relayed.
   */
  answer(pair: PairId, bytes: Uint8Array): void;

  /**
   * Connects; `dialled` or `dialFailed` follows. `prelude` (or null) is sent first, before any byte
   * of the client. `source` (null: the kernel chooses) is the address of this machine to dial from,
   * of the target's family; `no-source-address` says that it is not here.
   */
  dial(
    pair: PairId,
    target: Endpoint,
    prelude: Uint8Array | null,
    source?: IpEndpoint | null,
  ): void;
  /** Gives up a dial under way: no edge follows for it, and another `dial` may come at once. */
  cancelDial(pair: PairId): void;
  /**
   * Sends what `dial` was given, before the relay and before any byte of the client; `asked`
   * follows. Called inside or after `dialled`, once.
   */
  ask(pair: PairId): void;
  /**
   * From the relay on, which has not begun, what the backend says is also reported by `heard`,
   * until `overhearDone`.
   */
  overhear(pair: PairId): void;
  /** Enough was heard: the relay goes on like any other. Also inside `heard`. */
  overhearDone(pair: PairId): void;
  /**
   * Relays both ways until both ends are finished or one resets. Called inside or after `dialled`
   * or `asked`.
   */
  relay(pair: PairId): void;

  /**
   * Ends the pair. `flush`: what was read is still delivered, then FIN both ways; it is bounded by
   * the engine's LINGER_MS, after which it resets. Until both peers have sent FIN too, and for
   * FAREWELL_MS at most, what they send is read and dropped: closing with unread bytes would be a
   * reset (RFC 1122, 4.2.2.13), which takes away what the peer has not read yet. `reset`: RST both
   * ways at once. Called again while `closed` is awaited, `reset` cuts a `flush` short, and
   * everything else changes nothing.
   */
  close(pair: PairId, how: 'flush' | 'reset'): void;
}

export type ListenOutcome =
  | { readonly ok: true; readonly local: Endpoint }
  | { readonly ok: false; readonly errno: string; readonly sentence: string };

/** How the relay ended when sluice did not end it. */
export type PairEnd =
  /** Both sides sent FIN and everything was delivered. `first` is the side whose FIN came first. */
  | { readonly kind: 'finished'; readonly first: 'client' | 'backend' }
  /**
   * One side reset; what had been read from it was delivered before the other was reset (at most
   * LINGER_MS later, and sooner where it has taken nothing for STANDSTILL_MS or takes too little).
   */
  | { readonly kind: 'reset'; readonly by: 'client' | 'backend' }
  /**
   * The client reset before a relay began, or sent FIN while its early bytes were being read, and
   * no stage was content with those before it. A FIN anywhere else is passed on to the backend
   * behind what came before it, as in the relay.
   */
  | { readonly kind: 'client-gone' }
  /** `close` was called. */
  | { readonly kind: 'closed' }
  /** The engine ran into a limit (descriptors, ring, memory): the sentence says which. */
  | { readonly kind: 'limit'; readonly sentence: string };

export interface TcpEdges {
  accepted(key: ListenerKey, pair: PairId): void;
  /** All bytes of the client so far, up to the limit of the reading; valid during the call only. */
  earlyBytes(pair: PairId, bytes: Uint8Array): void;
  dialled(pair: PairId): void;
  dialFailed(pair: PairId, failure: DialFailure): void;
  /** The first byte that the backend says, which is not relayed; null: FIN came instead. */
  asked(pair: PairId, byte: number | null): void;
  /** The backend's first byte of the relay has been read. */
  firstByte(pair: PairId): void;
  /**
   * What a backend that is overheard has said: each byte once, in order, and before the client gets
   * it; valid during the call only.
   */
  heard(pair: PairId, bytes: Uint8Array): void;
  /**
   * A pair that was connected to a backend is about to lose its sockets, and `path` answers for
   * both as far as they are still there. May come twice.
   */
  parting(pair: PairId): void;
  /** The pair is over; its counters are still valid during the call. Comes exactly once. */
  closed(pair: PairId, end: PairEnd): void;
  /** Accepting failed (EMFILE, ENFILE, ENOBUFS, ENOMEM); the engine tries again by itself. */
  acceptFailed(key: ListenerKey, errno: string): void;
  /**
   * An invariant broke while the engine dealt with this pair alone (see ARCHITECTURE.md, "Where a
   * defect ends"): the session calls `close(reset)`, and `closed` follows. Throws when it cannot.
   */
  broken(pair: PairId, error: unknown): void;
}

/** After `close(flush)` or a reset: how long the other side may take to accept what was read. */
export const LINGER_MS = 5_000;
/**
 * A side whose other side was reset is given up when it has taken nothing at all for this long,
 * counted from the last byte that it took, before the reset or after it. A receiver that reads
 * slowly opens its window in steps: over loopback of 64 to 93 KiB, elsewhere of a few segments. A
 * kernel takes some more for a receiver that reads nothing, up to 0.8 s after the reset of many
 * others has freed its memory; with that, too, all is given back within two seconds.
 */
export const STANDSTILL_MS = 1_000;
/** After FIN was sent both ways behind everything else: how long peers have to finish too. */
export const FAREWELL_MS = 250;
/** Bytes of a client read ahead before a relay begins. */
export const HELD_BYTES = 65_536;
/** An answer before the relay: what fits into any socket's empty buffer. */
export const ANSWER_BYTES = 1_024;
