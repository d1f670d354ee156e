/** What the library throws by itself. An error of a callback is never wrapped in one of these. */
import type { Ineligible } from '../core/outcome.js';

export type NoBackendCode =
  /**
   * No backend is there that could serve: none is defined, or all are drained or without weight.
   */
  | 'no-backend'
  | 'all-down'
  | 'all-full'
  | 'queue-full'
  | 'queue-timeout'
  /** No backend has had its first verdict yet, and `pick` cannot wait for one. */
  | 'unproven'
  /** Each backend that was dialled failed; `cause` is the last failure. */
  | 'dial-failed'
  /** The balancer was closed. */
  | 'closed';

const SENTENCES: Readonly<Record<NoBackendCode, string>> = {
  'no-backend': 'no backend is there that could serve',
  'all-down': 'every backend is down or ejected',
  'all-full': 'every backend is at its cap (maxConnections)',
  'queue-full': 'every backend is at its cap, and the queue is full (queueSize)',
  'queue-timeout': 'every backend was at its cap for longer than queueTimeout',
  unproven: 'no backend has had its first verdict yet',
  'dial-failed': 'every backend that was dialled failed',
  closed: 'the balancer is closed',
};

/** Backends in a message; `reasons` has all of them. */
const MAX_TOLD = 8;

/** No backend could serve, and why: of the pool (`code`) and of each backend (`reasons`). */
export class NoBackendError extends Error {
  override readonly name = 'NoBackendError';
  readonly code: NoBackendCode;
  /** By the name of a backend: why it did not get the request. */
  readonly reasons: Readonly<Record<string, Ineligible>>;
  /** Names of the backends that this request has tried in vain, in order. */
  readonly tried: readonly string[];

  constructor(
    pool: string,
    code: NoBackendCode,
    reasons: Readonly<Record<string, Ineligible>>,
    tried: readonly string[],
    cause?: unknown,
  ) {
    const all = Object.entries(reasons).map(([name, reason]) => `${name} ${reason}`);
    const more = all.length - MAX_TOLD;
    const parts = more > 0 ? [...all.slice(0, MAX_TOLD), `${more} more`] : all;
    const detail = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
    super(`${pool}: ${SENTENCES[code]}${detail}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.reasons = reasons;
    this.tried = tried;
  }
}

/** Options, or a file, that cannot be used: every problem of it, in the words of the reference. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
  readonly code = 'bad-options';
  /** `key: problem (expected …; got …)` */
  readonly issues: readonly string[];

  constructor(issues: readonly string[]) {
    super(issues.join('\n'));
    this.issues = issues;
  }
}

/** One try of `execute` took longer than `tryTimeout`: what it did meanwhile is unknown. */
export class TryTimeoutError extends Error {
  override readonly name = 'TryTimeoutError';
  readonly code = 'try-timeout';

  constructor(backend: string, limitMs: number) {
    super(`${backend} did not answer within ${limitMs} ms`);
  }
}

/** As `AbortSignal.timeout` has it: the deadline over all tries has passed. */
export function deadlineError(limitMs: number): DOMException {
  return new DOMException(`The operation took longer than ${limitMs} ms`, 'TimeoutError');
}
