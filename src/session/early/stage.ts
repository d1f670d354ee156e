/**
 * Early stages: what a listener wants to know of a client's first bytes before it chooses a pool
 * or a backend. A stage is pure: the bytes so far and what is known go in, an answer comes out. It
 * is asked again from the beginning whenever more bytes have come.
 */
import type { Cause } from '../../core/outcome.js';
import type { ProxiedClient } from '../proxy_protocol/header.js';
import type { Hello } from './client_hello.js';

/** What stages have found out about a client. */
export interface Facts {
  /** From a trusted proxy's header; null: the socket's own addresses count. */
  readonly proxied: ProxiedClient | null;
  /** How a Postgres client began, where that is looked at and can be. */
  readonly postgres: PostgresStart | null;
  /** Its TLS hello; null: it began with something else, or it was not read. */
  readonly hello: Hello | null;
}

export type PostgresStart =
  /** A StartupMessage: from now on it understands an ErrorResponse. */
  | { readonly kind: 'start'; readonly session: PostgresSession }
  /** It asks for encryption, and is not read on: what comes of it is between it and the server. */
  | { readonly kind: 'request' }
  /** The whole request. */
  | { readonly kind: 'cancel'; readonly request: Uint8Array }
  /** It was promised TLS; its backend has to be asked by the same request. */
  | { readonly kind: 'encryption'; readonly request: Uint8Array };

/** What a StartupMessage names. null: it does not, or it was not read. */
export interface PostgresSession {
  readonly database: string | null;
  readonly user: string | null;
  readonly application: string | null;
}

export const NOTHING_KNOWN: Facts = { proxied: null, postgres: null, hello: null };

export type StageAnswer =
  /** The bytes so far are the beginning of something. */
  | { readonly kind: 'need-more' }
  | { readonly kind: 'refuse'; readonly cause: Cause }
  /** The client waits for `bytes`; then the same stage goes on behind those consumed. */
  | {
      readonly kind: 'answer';
      readonly bytes: Uint8Array;
      readonly facts: Facts;
      readonly consumed: number;
    }
  /** It is the next stage's turn; what is not consumed is for the stages after this one. */
  | { readonly kind: 'next'; readonly facts: Facts; readonly consumed: number };

export const NEED_MORE: StageAnswer = { kind: 'need-more' };

export interface EarlyStage {
  readonly read: (bytes: Uint8Array, facts: Facts) => StageAnswer;
  /** The end of a client that says too little in the time that it has. */
  readonly late: Cause;
  /** The end of one that has used up its bytes without saying enough. */
  readonly tooLarge: Cause;
}
