/**
 * The key by which a Postgres server names a session, found in what the server says until it is
 * ready for the first query (PostgreSQL's documentation, 55.7). A cancel names nothing else. Bytes
 * may come in any pieces; only those of the key are kept.
 */
import { uint32 } from './big_endian.js';
import type { PostgresStart } from './stage.js';

/** What one byte answers to a request for encryption; after the first two nothing can be read. */
const TLS = 0x53;
const GSS = 0x47;
const NO = 0x4e;

const KEY_MESSAGE = 0x4b;
/**
 * What may come before it: authentication, parameters, notices, an older version of the protocol.
 */
const BEFORE_KEY: ReadonlySet<number> = new Set([0x52, 0x53, 0x4e, 0x76]);
/** Type and length; the length counts itself. */
const HEAD_BYTES = 5;
const LENGTH_BYTES = 4;
/** A process, and a secret of 4 bytes, or since protocol 3.2 of up to 256. */
const MIN_KEY_BYTES = 8;
const MAX_KEY_BYTES = 260;
/** A server that has sent this much has sent something else than what a session begins with. */
const MOST_BYTES = 65_536;

/** `more`: it may still come. `never`: it will not, or it cannot be seen. Else the key. */
export type Heard = 'more' | 'never' | Uint8Array;

/** null: in what comes no key can be seen. */
export function keyReaderFor(start: PostgresStart | null): KeyReader | null {
  if (start?.kind === 'start') return new KeyReader('messages');
  return start?.kind === 'request' ? new KeyReader('answer') : null;
}

export class KeyReader {
  /** `answer`: single bytes come first, which answer requests for encryption. */
  #at: 'answer' | 'messages';
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headBytes = 0;
  /** Of a message that is passed over. */
  #restBytes = 0;
  #key: Uint8Array | null = null;
  #keyBytes = 0;
  #heardBytes = 0;

  constructor(first: 'answer' | 'messages') {
    this.#at = first;
  }

  read(bytes: Uint8Array): Heard {
    this.#heardBytes += bytes.length;
    let at = 0;
    while (at < bytes.length) {
      if (this.#restBytes > 0) {
        const passed = Math.min(this.#restBytes, bytes.length - at);
        this.#restBytes -= passed;
        at += passed;
      } else if (this.#key !== null) {
        at += this.#keep(this.#key, bytes.subarray(at));
        if (this.#keyBytes === this.#key.length) return this.#key;
      } else if (this.#at === 'answer') {
        const byte = bytes[at];
        if (byte === TLS || byte === GSS) return 'never';
        if (byte === NO) at++;
        else this.#at = 'messages';
      } else if (this.#headBytes === 0 && bytes.length - at >= HEAD_BYTES) {
        // Mostly a head is there as a whole.
        if (this.#begin(bytes, at) === 'nothing of a start') return 'never';
        at += HEAD_BYTES;
      } else {
        this.#head[this.#headBytes++] = bytes[at++] ?? 0;
        if (this.#headBytes < HEAD_BYTES) continue;
        this.#headBytes = 0;
        if (this.#begin(this.#head, 0) === 'nothing of a start') return 'never';
      }
    }
    return this.#heardBytes >= MOST_BYTES ? 'never' : 'more';
  }

  #keep(key: Uint8Array, bytes: Uint8Array): number {
    const part = bytes.subarray(0, key.length - this.#keyBytes);
    key.set(part, this.#keyBytes);
    this.#keyBytes += part.length;
    return part.length;
  }

  /** Of the message whose head stands at `at`. */
  #begin(head: Uint8Array, at: number): 'begun' | 'nothing of a start' {
    const type = head[at] ?? 0;
    const bodyBytes = uint32(head, at + 1) - LENGTH_BYTES;
    if (type === KEY_MESSAGE) {
      if (bodyBytes < MIN_KEY_BYTES || bodyBytes > MAX_KEY_BYTES) return 'nothing of a start';
      this.#key = new Uint8Array(bodyBytes);
      return 'begun';
    }
    if (!BEFORE_KEY.has(type) || bodyBytes < 0 || bodyBytes > MOST_BYTES) {
      return 'nothing of a start';
    }
    this.#restBytes = bodyBytes;
    return 'begun';
  }
}
