/** Where the error codes of Node.js become words of the engine's seam: the only such place. */
import type { DatagramDrop, DialFailure } from '../../core/outcome.js';

/** Codes of connect(2) by what they mean for a backend; see also ip(7), tcp(7) and unix(7). */
const DIAL_FAILURE_BY_CODE: Readonly<Record<string, DialFailure>> = {
  ECONNREFUSED: 'refused',
  // unix(7): nobody made the socket, or its queue of connections is full.
  ENOENT: 'refused',
  EAGAIN: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  ENONET: 'unreachable',
  // A firewall rule, a broadcast address, or no permission for a unix socket's path.
  EACCES: 'unreachable',
  EPERM: 'unreachable',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  EADDRNOTAVAIL: 'no-free-port',
  EADDRINUSE: 'no-free-port',
  EMFILE: 'no-descriptor',
  ENFILE: 'no-descriptor',
};

export function dialFailure(error: Error): DialFailure {
  return DIAL_FAILURE_BY_CODE[errorCode(error)] ?? 'other';
}

/** The errno's name, such as `ECONNRESET`, or `UNKNOWN`. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'UNKNOWN';
}

const LIMIT_SENTENCES: Readonly<Record<string, string>> = {
  ENOBUFS: 'the kernel has no buffer space left for a socket (ENOBUFS)',
  ENOMEM: 'the kernel has no memory left for a socket (ENOMEM)',
};

/**
 * Says which limit of this machine broke a connected socket; null: it was the peer or the network.
 */
export function limitSentence(error: Error): string | null {
  return LIMIT_SENTENCES[errorCode(error)] ?? null;
}

/**
 * A connected UDP socket reports by its next call that ICMP answered an earlier datagram (udp(7)).
 */
export function isUnreachable(error: Error): boolean {
  const failure = dialFailure(error);
  return failure === 'refused' || failure === 'unreachable';
}

const DROP_BY_CODE: Readonly<Record<string, DatagramDrop>> = {
  EMSGSIZE: 'too-large',
  EAGAIN: 'send-queue-full',
  ENOBUFS: 'send-queue-full',
  ENOMEM: 'resource-limit',
};

/** Why a datagram was not sent. */
export function dropReason(error: Error): DatagramDrop {
  return DROP_BY_CODE[errorCode(error)] ?? 'send-error';
}
