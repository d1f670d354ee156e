/**
 * The ClientHello of TLS: the server name and the protocols that a client asks for (RFC 8446,
 * 4.1.2; RFC 6066, 3; RFC 7301). Its bytes come in any number of records and segments, and its
 * extensions in any order. Where a client hides its name (ECH), the outer one is all that is there.
 * Pure; it changes and consumes nothing, as the backend gets the same bytes.
 */
import { uint16 } from './big_endian.js';

export interface Hello {
  /** In lower case and without a dot at the end; null: none, or none that a host could have. */
  readonly serverName: string | null;
  readonly alpn: readonly string[];
}

export type HelloReading =
  /** The bytes so far are the beginning of a hello. */
  | { readonly kind: 'need-more' }
  /** They are something else, or a hello that no server would understand. */
  | { readonly kind: 'none' }
  | { readonly kind: 'hello'; readonly hello: Hello };

/** RFC 8446, 5.1 and 4. */
const HANDSHAKE_RECORD = 22;
const RECORD_HEAD_BYTES = 5;
const MAX_RECORD_BYTES = 16_384;
const CLIENT_HELLO = 1;
const MESSAGE_HEAD_BYTES = 4;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const ALPN = 16;
/** RFC 1035, 2.3.4, as text. */
const MAX_NAME_BYTES = 253;
/** Clients name three; one that names thousands must not cost more for it. */
const MAX_PROTOCOLS = 32;

const NEED_MORE: HelloReading = { kind: 'need-more' };
const NONE: HelloReading = { kind: 'none' };

/** `bytes`: everything that the client has said so far. */
export function readHello(bytes: Uint8Array): HelloReading {
  const message = messageIn(bytes);
  if (message === 'need-more') return NEED_MORE;
  if (message === 'none') return NONE;
  const hello = helloIn(message);
  return hello === null ? NONE : { kind: 'hello', hello };
}

/** The body of the first handshake message, out of as many records as it takes. */
function messageIn(bytes: Uint8Array): Reader | 'need-more' | 'none' {
  const parts: Uint8Array[] = [];
  let gathered = 0;
  let wanted = Number.POSITIVE_INFINITY;
  for (let at = 0; gathered < wanted; ) {
    if (!beginsRecord(bytes, at)) return 'none';
    if (bytes.length < at + RECORD_HEAD_BYTES) return 'need-more';
    const length = uint16(bytes, at + 3);
    // RFC 8446, 5.1: no handshake record is empty.
    if (length === 0 || length > MAX_RECORD_BYTES) return 'none';
    at += RECORD_HEAD_BYTES;
    const part = Math.min(length, bytes.length - at);
    if (gathered === 0 && part > 0 && bytes[at] !== CLIENT_HELLO) return 'none';
    if (gathered === 0 && part >= MESSAGE_HEAD_BYTES) {
      wanted = messageBytes(bytes, at);
      // Mostly it is one record, and is read where it stands.
      if (part >= wanted) return new Reader(bytes, at + MESSAGE_HEAD_BYTES, at + wanted);
    }
    parts.push(bytes.subarray(at, at + part));
    gathered += part;
    if (gathered >= MESSAGE_HEAD_BYTES && wanted === Number.POSITIVE_INFINITY) {
      wanted = messageBytes(joined(parts, MESSAGE_HEAD_BYTES), 0);
    }
    if (part < length && gathered < wanted) return 'need-more';
    at += length;
  }
  return new Reader(joined(parts, wanted), MESSAGE_HEAD_BYTES, wanted);
}

/** True also of less than a header, as long as it may become one. */
function beginsRecord(bytes: Uint8Array, at: number): boolean {
  return (bytes[at] ?? HANDSHAKE_RECORD) === HANDSHAKE_RECORD && (bytes[at + 1] ?? 3) === 3;
}

/** With its head, which stands at `at`. */
function messageBytes(bytes: Uint8Array, at: number): number {
  return MESSAGE_HEAD_BYTES + ((bytes[at + 1] ?? 0) << 16) + uint16(bytes, at + 2);
}

/** The first `length` bytes of all `parts`. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part.subarray(0, length - at), at);
    at += part.length;
    if (at >= length) break;
  }
  return all;
}

function helloIn(message: Reader): Hello | null {
  // legacy_version and random; session, cipher suites and compression are vectors.
  message.skip(2 + 32);
  message.skip(message.uint(1));
  message.skip(message.uint(2));
  message.skip(message.uint(1));
  if (message.isOver) return message.isSound ? { serverName: null, alpn: [] } : null;
  const extensions = message.vector(2);
  if (!message.isSound || !message.isOver) return null;
  return fromExtensions(extensions);
}

function fromExtensions(extensions: Reader): Hello | null {
  let names: Reader | null = null;
  let protocols: Reader | null = null;
  while (!extensions.isOver) {
    const type = extensions.uint(2);
    const body = extensions.vector(2);
    if (!extensions.isSound) return null;
    // A second one would mean something else to each reader (RFC 8446, 4.2: not allowed).
    if (type === SERVER_NAME) {
      if (names !== null) return null;
      names = body;
    } else if (type === ALPN) {
      if (protocols !== null) return null;
      protocols = body;
    }
  }
  const serverName = names === null ? null : nameIn(names);
  const alpn = protocols === null ? [] : protocolsIn(protocols);
  return serverName === 'malformed' || alpn === 'malformed' ? null : { serverName, alpn };
}

function nameIn(body: Reader): string | null | 'malformed' {
  const list = body.vector(2);
  if (!body.isSound || !body.isOver || list.isOver) return 'malformed';
  let found: string | null = null;
  while (!list.isOver) {
    const type = list.uint(1);
    const name = list.vector(2);
    if (!list.isSound) return 'malformed';
    if (type === HOST_NAME && found === null) found = hostName(name.rest);
  }
  return found;
}

function hostName(bytes: Uint8Array): string | null {
  const text = ascii(bytes.subarray(0, MAX_NAME_BYTES + 2)).toLowerCase();
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return /^[!-~]+$/.test(name) && name.length <= MAX_NAME_BYTES ? name : null;
}

function protocolsIn(body: Reader): readonly string[] | 'malformed' {
  const list = body.vector(2);
  if (!body.isSound || !body.isOver || list.isOver) return 'malformed';
  const found: string[] = [];
  while (!list.isOver) {
    const protocol = list.vector(1);
    if (!list.isSound || protocol.isOver) return 'malformed';
    if (found.length < MAX_PROTOCOLS) found.push(ascii(protocol.rest));
  }
  return found;
}

/** Reads numbers and vectors of a part one after the other; beyond its end everything is empty. */
class Reader {
  /** Nothing was read beyond the end. */
  isSound = true;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isOver(): boolean {
    return this.#at >= this.#end;
  }

  get rest(): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#end);
  }

  skip(bytes: number): void {
    this.#at += bytes;
    if (this.#at > this.#end) this.isSound = false;
  }

  uint(bytes: number): number {
    let value = 0;
    for (let index = 0; index < bytes; index++) value = value * 256 + this.#next(index);
    this.skip(bytes);
    return value;
  }

  /** A vector behind its length of `lengthBytes`. */
  vector(lengthBytes: number): Reader {
    const length = this.uint(lengthBytes);
    const start = Math.min(this.#at, this.#end);
    this.skip(length);
    return new Reader(this.#bytes, start, Math.min(this.#at, this.#end));
  }

  #next(index: number): number {
    const at = this.#at + index;
    return at < this.#end ? (this.#bytes[at] ?? 0) : 0;
  }
}

/** `apply` takes a typed array as it is; spread, each of its bytes goes through an iterator. */
function ascii(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
