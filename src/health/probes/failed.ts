/**
 * How a probe gives up inside: by throwing Failed, which `converse` turns into an outcome. Errors
 * of sockets are translated here and nowhere else.
 */
import { InvariantError } from '../../core/assert.js';
import type { ProbeFailure, ProbeResult } from '../probe.js';
import { quoted } from './quote.js';

export class Failed extends Error {
  override readonly name = 'Failed';
  readonly failure: ProbeFailure;

  /** `detail`: a sentence for people; what others said in it is `quoted`. */
  constructor(failure: ProbeFailure, detail: string) {
    super(detail);
    this.failure = failure;
  }
}

/** A backend that serves fully. */
export function whole(note = ''): Extract<ProbeResult, { ok: true }> {
  return { ok: true, share: 1, note };
}

/** The outcome of a probe that threw. An error of our own code stays an error. */
export function outcomeOf(error: unknown): ProbeResult {
  if (error instanceof InvariantError) throw error;
  const { failure, message } =
    error instanceof Failed ? error : new Failed('wrong-answer', sentence(error));
  return { ok: false, failure, detail: message };
}

const SOCKET_ERRORS: Readonly<Record<string, readonly [ProbeFailure, string]>> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  ENOENT: ['refused', 'there is no socket at that path'],
  EAGAIN: ['refused', "the socket's backlog is full"],
  EHOSTUNREACH: ['unreachable', 'no route to the host'],
  ENETUNREACH: ['unreachable', 'no route to the network'],
  EHOSTDOWN: ['unreachable', 'the host is down'],
  ENETDOWN: ['unreachable', 'the network is down'],
  EACCES: ['unreachable', 'not permitted to connect'],
  EPERM: ['unreachable', 'not permitted to connect'],
  EINVAL: ['unreachable', 'the address cannot be connected to'],
  ETIMEDOUT: ['timeout', 'connection timed out'],
  ECONNRESET: ['reset', 'connection reset'],
  ECONNABORTED: ['reset', 'connection aborted'],
  EPIPE: ['closed-early', 'closed while sending'],
  // The remedies are on our side: RLIMIT_NOFILE, ip_local_port_range, memory.
  EMFILE: ['no-resources', 'no file descriptor left in this process'],
  ENFILE: ['no-resources', 'no file descriptor left on this machine'],
  EADDRNOTAVAIL: ['no-resources', 'no local port or address left'],
  ENOBUFS: ['no-resources', 'no buffer left in the kernel'],
  ENOMEM: ['no-resources', 'no memory left'],
};

/** The failure that a socket's error means; errors without a known errno count as `otherwise`. */
export function socketFailure(error: Error, otherwise: ProbeFailure): Failed {
  const code = codeOf(error);
  // Node.js makes up an ECONNRESET, without a system call, when FIN comes in a TLS handshake.
  if (code === 'ECONNRESET' && !('syscall' in error)) {
    return new Failed('closed-early', 'closed in the TLS handshake');
  }
  const known = SOCKET_ERRORS[code];
  if (known === undefined) return new Failed(otherwise, sentence(error));
  return new Failed(known[0], `${known[1]} (${code})`);
}

/** The errno's or OpenSSL's name, or nothing. */
export function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : '';
  return typeof code === 'string' ? code : '';
}

function sentence(error: unknown): string {
  return quoted(error instanceof Error ? error.message : String(error));
}
