/**
 * How a probe gives up inside: by throwing Failed, which `converse` turns into an outcome. Errors
 * of sockets are translated here and nowhere else.
 */
import { InvariantError } from '../../core/assert.js';
import { quoted } from '../../secrets/quote.js';
import type { ProbeFailure, ProbeResult } from '../probe.js';

export class ProbeFailed extends Error {
  override readonly name = 'ProbeFailed';
  readonly failure: ProbeFailure;

  /** `detail`: a sentence for people; what others said in it is `quoted`. */
  constructor(failure: ProbeFailure, detail: string) {
    super(detail);
    this.failure = failure;
  }
}

/** The attempt has not begun: the unix socket has no room for another connection just now. */
export class BacklogFull extends Error {
  override readonly name = 'BacklogFull';
}

/**
 * Nothing listens at a port of this machine that connect(2) also takes source ports from, and so
 * the probe has met itself (engine/self_dials.ts has the whole story).
 */
export function metItself(): ProbeFailed {
  return new ProbeFailed('refused', 'nothing listens there: the connection was one to itself');
}

/** A backend that serves fully. */
export function fullSuccess(note = ''): Extract<ProbeResult, { ok: true }> {
  return { ok: true, share: 1, note };
}

/**
 * The outcome of a probe that threw. An error of our own code stays an error, and one that asks for
 * another attempt is none yet.
 */
export function failureResult(error: unknown): ProbeResult {
  if (error instanceof InvariantError || error instanceof BacklogFull) throw error;
  const { failure, message } =
    error instanceof ProbeFailed ? error : new ProbeFailed('wrong-answer', sentence(error));
  return { ok: false, failure, detail: message };
}

const SOCKET_ERRORS: Readonly<Record<string, readonly [ProbeFailure, string]>> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  ENOENT: ['refused', 'there is no socket at that path'],
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
  EADDRNOTAVAIL: ['no-local-address', 'no local port or address left'],
  EADDRINUSE: ['no-local-address', 'no local port left'],
  ENOBUFS: ['no-resources', 'no buffer left in the kernel'],
  ENOMEM: ['no-resources', 'no memory left'],
};

const NO_SOURCE = 'the address in `source` is not on this machine';

/** The failure that a socket's error means; errors without a known errno count as `otherwise`. */
export function socketFailure(error: Error, otherwise: ProbeFailure): ProbeFailed {
  const code = codeOf(error);
  // Node.js makes up an ECONNRESET, without a system call, when FIN comes in a TLS handshake.
  if (code === 'ECONNRESET' && !('syscall' in error)) {
    return new ProbeFailed('closed-early', 'closed in the TLS handshake');
  }
  if (code === 'EADDRNOTAVAIL' && 'syscall' in error && error.syscall === 'bind') {
    return new ProbeFailed('no-local-address', `${NO_SOURCE} (${code})`);
  }
  const known = SOCKET_ERRORS[code];
  const tls = tlsSentence(error);
  if (known === undefined && tls !== null) return new ProbeFailed('tls', tls);
  if (known === undefined) return new ProbeFailed(otherwise, sentence(error));
  return new ProbeFailed(known[0], `${known[1]} (${code})`);
}

const TLS_SENTENCES: readonly (readonly [RegExp, string])[] = [
  [
    /WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG/,
    'it does not speak TLS on this port',
  ],
  [/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION/, 'no version of TLS that both sides allow'],
  [/NO_SHARED_CIPHER|HANDSHAKE_FAILURE|NO_CIPHERS/, 'no cipher that both sides allow'],
  [/CERTIFICATE_REQUIRED|BAD_CERTIFICATE/, 'it wants a certificate from its clients'],
  [/UNKNOWN_CA/, 'it does not know our certification authority'],
  [/UNRECOGNIZED_NAME/, 'it has no certificate for that name (tls_server_name)'],
  [/SELF_SIGNED/, 'self-signed certificate: name it in tls_ca_file, or set tls_verify = false'],
  [/UNABLE_TO_(GET_ISSUER|VERIFY)/, 'its certificate is signed by none of tls_ca_file'],
  [/CERT_HAS_EXPIRED/, 'its certificate has ended'],
  [/CERT_NOT_YET_VALID/, 'its certificate is not valid yet'],
];

/** What an error of OpenSSL means, by its name; null: it is none, or not known. */
function tlsSentence(error: Error): string | null {
  const code = codeOf(error);
  const found = TLS_SENTENCES.find(([name]) => name.test(code));
  if (found !== undefined) return `${found[1]} (${code})`;
  // `809C…:error:0A00010B:SSL routines:function:reason:file:line:` — the reason is for people.
  const reason = /:SSL routines:[^:]*:([^:]+):/.exec(error.message)?.[1];
  return reason === undefined ? null : `TLS: ${quoted(reason)}`;
}

/** The errno's or OpenSSL's name, or nothing. */
export function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : '';
  return typeof code === 'string' ? code : '';
}

function sentence(error: unknown): string {
  return quoted(error instanceof Error ? error.message : String(error));
}
