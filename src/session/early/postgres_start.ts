/**
 * The first messages of a Postgres client, which have no type byte: a length, and a code that says
 * what it is (PostgreSQL's documentation, 55.7; src/include/libpq/pqcomm.h). Pure.
 */
import type { PostgresSpec } from '../../core/spec.js';
import { uint32 } from './big_endian.js';
import {
  type EarlyStage,
  type Facts,
  NEED_MORE,
  type PostgresSession,
  type StageAnswer,
} from './stage.js';
import { sessionIn } from './startup_message.js';

/** Length and code. */
const HEAD_BYTES = 8;
const CANCEL_CODE = 80_877_102;
const SSL_CODE = 80_877_103;
const GSS_CODE = 80_877_104;
const PROTOCOL_MAJOR = 3;
/** pqcomm.h: MAX_STARTUP_PACKET_LENGTH. */
const MAX_START_BYTES = 10_000;
/** Length, code, process, and a secret of 4 bytes, or since protocol 3.2 of up to 256. */
const MIN_CANCEL_BYTES = 16;
const MAX_CANCEL_BYTES = 268;
/** A TLS record: since PostgreSQL 17 clients may begin with one (`sslnegotiation=direct`). */
const TLS_HANDSHAKE = 0x16;

/** Of one byte: whether what was asked for is there. */
const YES_TLS = Uint8Array.of(0x53);
const NO = Uint8Array.of(0x4e);

const NOT_POSTGRES: StageAnswer = { kind: 'refuse', cause: 'not-postgres' };
const REQUEST = { kind: 'request' } as const;
const UNREAD: PostgresSession = { database: null, user: null, application: null };

/** What routes want to know. */
export interface PostgresReads {
  /**
   * A TLS hello: a client that asks for TLS is promised it, and the backend is asked afterwards.
   */
  readonly hello: boolean;
  /**
   * The StartupMessage: a client that asks for TLS is answered that there is none, unless a hello
   * is read.
   */
  readonly start: boolean;
}

type Kind = 'cancel' | 'tls' | 'gss' | 'start' | 'odd';

/** What it is not goes on where `strict` is off; what is not needed here is the backend's. */
export function postgresStart({ cancel, strict }: PostgresSpec, reads: PostgresReads): EarlyStage {
  return {
    late: 'hello-timeout',
    tooLarge: 'not-postgres',
    read: (bytes, facts) => {
      const pass: StageAnswer = { kind: 'next', facts, consumed: 0 };
      // It was promised TLS: what follows is a hello.
      if (facts.postgres !== null) return pass;
      if (bytes.length === 0) return NEED_MORE;
      if (bytes[0] === TLS_HANDSHAKE) return pass;
      const odd = strict ? NOT_POSTGRES : pass;
      // No message is so long that one of its first two bytes is not zero.
      if (bytes[0] !== 0 || (bytes[1] ?? 0) !== 0) return odd;
      if (bytes.length < HEAD_BYTES) return NEED_MORE;
      const length = uint32(bytes, 0);
      const kind = kindOf(length, uint32(bytes, 4));
      const isWhole = bytes.length >= length;
      switch (kind) {
        case 'cancel':
          if (cancel === 'pass') return pass;
          return isWhole ? cancelled(facts, bytes.slice(0, length)) : NEED_MORE;
        case 'tls':
        case 'gss':
          return encryption(kind, bytes, facts, reads);
        case 'start': {
          if (!reads.start) return started(facts, UNREAD);
          if (!isWhole) return NEED_MORE;
          const session = sessionIn(bytes.subarray(HEAD_BYTES, length));
          return session === null ? odd : started(facts, session);
        }
        case 'odd':
          return odd;
      }
    },
  };
}

function cancelled(facts: Facts, request: Uint8Array): StageAnswer {
  const postgres = { kind: 'cancel', request } as const;
  return { kind: 'next', facts: { ...facts, postgres }, consumed: request.length };
}

function started(facts: Facts, session: PostgresSession): StageAnswer {
  return { kind: 'next', facts: { ...facts, postgres: { kind: 'start', session } }, consumed: 0 };
}

/** Within GSSAPI encryption neither a start nor a hello can be read. */
function encryption(
  kind: 'tls' | 'gss',
  bytes: Uint8Array,
  facts: Facts,
  { hello, start }: PostgresReads,
): StageAnswer {
  if (!hello && !start) {
    return { kind: 'next', facts: { ...facts, postgres: REQUEST }, consumed: 0 };
  }
  if (kind === 'gss' || !hello) {
    return { kind: 'answer', bytes: NO, facts, consumed: HEAD_BYTES };
  }
  const postgres = { kind: 'encryption', request: bytes.slice(0, HEAD_BYTES) } as const;
  return { kind: 'answer', bytes: YES_TLS, facts: { ...facts, postgres }, consumed: HEAD_BYTES };
}

function kindOf(length: number, code: number): Kind {
  if (code === CANCEL_CODE) {
    return length >= MIN_CANCEL_BYTES && length <= MAX_CANCEL_BYTES ? 'cancel' : 'odd';
  }
  if (code === SSL_CODE) return length === HEAD_BYTES ? 'tls' : 'odd';
  if (code === GSS_CODE) return length === HEAD_BYTES ? 'gss' : 'odd';
  const isStart = code >>> 16 === PROTOCOL_MAJOR && length > HEAD_BYTES;
  return isStart && length <= MAX_START_BYTES ? 'start' : 'odd';
}
