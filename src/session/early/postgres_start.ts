/**
 * The first message of a Postgres client, which has no type byte: its length, and a code that says
 * what it is (PostgreSQL's documentation, 55.7; src/include/libpq/pqcomm.h). Pure.
 */
import type { PostgresSpec } from '../../core/spec.js';
import { NEED_MORE, type Stage, type Verdict } from './stage.js';

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

const NOT_POSTGRES: Verdict = { kind: 'refuse', cause: 'not-postgres' };

/** What it is not goes on where `strict` is off; everything but a cancel is left to the backend. */
export function postgresStart({ cancel, strict }: PostgresSpec): Stage {
  return {
    late: 'hello-timeout',
    tooLarge: 'not-postgres',
    read: (bytes, facts) => {
      if (bytes.length === 0) return NEED_MORE;
      const pass: Verdict = { kind: 'next', facts, consumed: 0 };
      if (bytes[0] === TLS_HANDSHAKE) return pass;
      const odd = strict ? NOT_POSTGRES : pass;
      // No message is so long that one of its first two bytes is not zero.
      if (bytes[0] !== 0 || (bytes[1] ?? 0) !== 0) return odd;
      if (bytes.length < HEAD_BYTES) return NEED_MORE;
      const length = uint32(bytes, 0);
      const code = uint32(bytes, 4);
      switch (kindOf(length, code)) {
        case 'cancel':
          if (cancel === 'pass') return pass;
          if (bytes.length < length) return NEED_MORE;
          return {
            kind: 'next',
            facts: { ...facts, postgres: { kind: 'cancel', request: bytes.slice(0, length) } },
            consumed: length,
          };
        case 'encryption':
          return pass;
        case 'start':
          return { kind: 'next', facts: { ...facts, postgres: { kind: 'start' } }, consumed: 0 };
        case 'odd':
          return odd;
      }
    },
  };
}

function kindOf(length: number, code: number): 'cancel' | 'encryption' | 'start' | 'odd' {
  if (code === CANCEL_CODE) {
    return length >= MIN_CANCEL_BYTES && length <= MAX_CANCEL_BYTES ? 'cancel' : 'odd';
  }
  if (code === SSL_CODE || code === GSS_CODE) return length === HEAD_BYTES ? 'encryption' : 'odd';
  const isStart = code >>> 16 === PROTOCOL_MAJOR && length > HEAD_BYTES;
  return isStart && length <= MAX_START_BYTES ? 'start' : 'odd';
}

function uint32(bytes: Uint8Array, at: number): number {
  const low = ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  return (bytes[at] ?? 0) * 0x100_0000 + low;
}
