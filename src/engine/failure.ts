/**
 * Where the names of errno values become words of the engines' seams; see ip(7), tcp(7), unix(7).
 */
import { getSystemErrorMap } from 'node:util';
import { type Endpoint, formatAddress } from '../core/endpoint.js';
import type { DatagramDrop, DialFailure } from '../core/outcome.js';

/** What connect(2) answered, by what it means for a backend. */
const DIAL_FAILURE_BY_CODE: Readonly<Record<string, DialFailure>> = {
  ECONNREFUSED: 'refused',
  // unix(7): the socket does not exist.
  ENOENT: 'refused',
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
  // Of UDP (inet_autobind in the kernel's af_inet.c). A unix socket's full backlog, the other one
  // that says so, is no failure: core/backlog.ts.
  EAGAIN: 'no-free-port',
  EMFILE: 'no-descriptor',
  ENFILE: 'no-descriptor',
};

/** `code`: an errno's name, such as `ECONNREFUSED`. */
export function dialFailureOf(code: string): DialFailure {
  return DIAL_FAILURE_BY_CODE[code] ?? 'other';
}

/** The same of bind(2) with an address to dial from and no port. */
export function sourceFailureOf(code: string): DialFailure {
  return code === 'EADDRNOTAVAIL' ? 'no-source-address' : dialFailureOf(code);
}

const LIMIT_SENTENCES: Readonly<Record<string, string>> = {
  ENOBUFS: 'the kernel has no buffer space left for a socket (ENOBUFS)',
  ENOMEM: 'the kernel has no memory left for a socket (ENOMEM)',
};

/**
 * Says which limit of this machine broke a connected socket; null: it was the peer or the network.
 */
export function limitSentenceOf(code: string): string | null {
  return LIMIT_SENTENCES[code] ?? null;
}

/**
 * A connected UDP socket reports by its next call that ICMP answered an earlier datagram (udp(7)).
 */
export function meansUnreachable(code: string): boolean {
  const failure = dialFailureOf(code);
  return failure === 'refused' || failure === 'unreachable';
}

const DROP_BY_CODE: Readonly<Record<string, DatagramDrop>> = {
  EMSGSIZE: 'too-large',
  EAGAIN: 'send-queue-full',
  ENOBUFS: 'send-queue-full',
  ENOMEM: 'resource-limit',
};

/** Why a datagram was not sent. */
export function dropReasonOf(code: string): DatagramDrop {
  return DROP_BY_CODE[code] ?? 'send-error';
}

/** Why there is no listening socket at `local`, for the operator. */
export function listenSentence(local: Endpoint, code: string): string {
  const found = [...getSystemErrorMap().values()].find(([name]) => name === code);
  return `cannot listen on ${formatAddress(local)}: ${found?.[1] ?? 'failed'} (${code})`;
}
