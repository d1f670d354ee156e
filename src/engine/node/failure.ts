/** What errors of Node.js mean for the engine's seams, by their codes. */
import type { Endpoint } from '../../core/endpoint.js';
import type { DatagramDrop, DialFailure } from '../../core/outcome.js';
import { err, ok, type Result } from '../../core/result.js';
import {
  dialFailureOf,
  dropReasonOf,
  limitSentenceOf,
  meansUnreachable,
  sourceFailureOf,
} from '../failure.js';

/** The errno's name, such as `ECONNRESET`, or `UNKNOWN`. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'UNKNOWN';
}

/**
 * What `call` answers, or the errno's name. For what Node.js answers at once by asking the kernel,
 * which may refuse at any time (for want of descriptors or memory): then Node.js throws, and a
 * refusal is no defect.
 */
export function asked<T>(call: () => T): Result<T, string> {
  try {
    return ok(call());
  } catch (error) {
    return err(errorCode(error));
  }
}

/** See core/backlog.ts. */
export function isBacklogFull(target: Endpoint, error: Error): boolean {
  return target.kind === 'unix' && errorCode(error) === 'EAGAIN';
}

export function dialFailure(error: Error): DialFailure {
  const code = errorCode(error);
  const isBind = 'syscall' in error && error.syscall === 'bind';
  return isBind ? sourceFailureOf(code) : dialFailureOf(code);
}

/**
 * Says which limit of this machine broke a connected socket; null: it was the peer or the network.
 */
export function limitSentence(error: Error): string | null {
  return limitSentenceOf(errorCode(error));
}

/**
 * A connected UDP socket reports by its next call that ICMP answered an earlier datagram (udp(7)).
 */
export function isUnreachable(error: Error): boolean {
  return meansUnreachable(errorCode(error));
}

/** Why a datagram was not sent. */
export function dropReason(error: Error): DatagramDrop {
  return dropReasonOf(errorCode(error));
}
