/**
 * What a completion is about. The low word of user data packs the kind of operation and the index
 * of its owner (a direction, a dial, a listener, a flow); the high word is the owner's generation,
 * which changes with each new use of the index: a completion of an earlier use breaks an invariant
 * instead of touching another session.
 */
/** A listening socket has connections. */
export const CONNECTIONS = 1;
/** Receive from the source of a direction. */
export const RECEIVE = 2;
/** A send that completes only when it could not send everything at once. */
export const SILENT_SEND = 3;
/** A socket whose target or source stands still takes data again, or is gone. */
export const WATCH = 4;
export const CONNECT = 5;
/** The source of a spliced direction is readable. */
export const SOURCE_READY = 6;
/** An option of a dial's socket; completes only on failure. */
export const OPTIONS = 7;
/** A client whose bytes are not read any more went away. */
export const CLIENT_GONE = 8;
export const BELL = 9;
/** Completes only on failure, which would be a broken invariant. */
export const CLOSE = 10;
/** Datagrams on a listening socket. */
export const DATAGRAMS = 11;
/** Datagrams from a flow's backend. */
export const REPLIES = 12;
/** A datagram to a flow's backend. */
export const FORWARD = 13;
/** A datagram to a client. */
export const REPLY = 14;
/** An option of the socket of a pair's backend; completes only on failure. */
export const PAIR_OPTIONS = 15;

/** Added to a kind: the cancelling of such an operation. Completes only when none was found. */
export const CANCEL = 16;
export const KINDS = 16;
const KIND_BITS = 5;
const KIND_MASK = (1 << KIND_BITS) - 1;

/** Generations count modulo 2^20, so that both words together are exact as a number. */
export const GENERATION_MASK = (1 << 20) - 1;

export const userData = (kind: number, index: number): number => (index << KIND_BITS) | kind;
export const kindOf = (low: number): number => low & KIND_MASK;
export const indexOf = (low: number): number => low >>> KIND_BITS;
