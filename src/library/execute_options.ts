/** What `pick`, `connect` and `execute` are asked with; read_calls.ts reads it. */
import type { Key } from './client_key.js';
import type { Backend } from './entry.js';
import type { Duration } from './options.js';

export interface PickOptions {
  /** By what `source-hash` chooses: the client's address, a tenant, a cache key. */
  readonly key?: Key;
}

export interface ConnectOptions extends PickOptions {
  readonly signal?: AbortSignal;
  /** Further backends after a failed dial; default: `retries` of the balancer. */
  readonly retries?: number;
}

/** What a callback of `execute` gets beside the backend. */
export interface TryContext {
  /** Aborts when this try is not waited for any more. */
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
}

export type Callback<T> = (backend: Backend, context: TryContext) => T | PromiseLike<T>;

export interface FailedTry {
  readonly backend: Backend;
  readonly attempt: number;
}

export interface HedgeOptions {
  /** The second try begins when the first takes longer than this share of the last requests. */
  readonly percentile?: number;
}

export interface ExecuteOptions extends ConnectOptions {
  /**
   * Whether a request that failed so may be sent again. Asked only where something may have been
   * sent: a dial that failed goes on to another backend in any case. Default: never.
   */
  readonly retryIf?: (error: unknown, about: FailedTry) => boolean | PromiseLike<boolean>;
  /** One deadline over all tries, pauses and waiting included. */
  readonly timeout?: Duration;
  /** How long one try may take; what follows is for `retryIf` to say (a TryTimeoutError). */
  readonly tryTimeout?: Duration;
  /** A second try elsewhere while a slow one goes on; `true`: after the 95th percentile. */
  readonly hedge?: boolean | HedgeOptions;
}
