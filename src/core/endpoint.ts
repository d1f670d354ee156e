/**
 * Where a socket is bound to or connects to, after names were resolved. Endpoints are immutable
 * and made once per backend, so an engine may cache what it derives from one by identity.
 */
import { present } from './assert.js';
import { familyOf, ipBytes, ipText, unmapped } from './ip_bytes.js';

export interface IpEndpoint {
  readonly kind: 'ip';
  readonly family: 4 | 6;
  /** Canonical text: RFC 5952 for IPv6, no brackets, no zone. */
  readonly host: string;
  /** 0 to 65535; 0 only where a free port is wanted. */
  readonly port: number;
}

export interface UnixEndpoint {
  readonly kind: 'unix';
  /** Absolute path, at most 107 bytes (unix(7): sun_path). */
  readonly path: string;
}

export type Endpoint = IpEndpoint | UnixEndpoint;

/** A backend's address as the file has it: a name is resolved, and resolved again, by control. */
export type Address =
  | Endpoint
  | { readonly kind: 'name'; readonly host: string; readonly port: number };

export function ipEndpoint(family: 4 | 6, host: string, port: number): IpEndpoint {
  return { kind: 'ip', family, host, port };
}

/** An address on its way between bytes and words: none has to be made for it. */
const WORDS_AT_HAND = new Int32Array(4);
const AT_HAND = new Uint8Array(WORDS_AT_HAND.buffer);

/**
 * The endpoint of a peer: a client that has come, or a backend that is dialled. Its host stands in
 * the object itself as bytes, and becomes text when that is asked for: most clients are compared
 * and hashed only, and of thousands of backends each object on the way to the bytes is another miss
 * of the caches, at each dial. What a dial over IPv4 reads comes first.
 *
 * It stays in its thread: a message would carry neither bytes nor text; see `plainEndpoint`.
 */
export class PeerEndpoint implements IpEndpoint {
  readonly kind = 'ip';
  readonly family: 4 | 6;
  readonly port: number;
  // In network order, as memory has them; IPv4 is the first one.
  readonly #a: number;
  readonly #b: number;
  readonly #c: number;
  readonly #d: number;
  #text: string | null;

  /** The bytes of the host stand in `words` from `at` on; `text`, if it is known, is theirs. */
  constructor(family: 4 | 6, port: number, words: Int32Array, at: number, text: string | null) {
    const isWide = family === 6;
    this.family = family;
    this.port = port;
    this.#a = words[at] ?? 0;
    this.#b = isWide ? (words[at + 1] ?? 0) : 0;
    this.#c = isWide ? (words[at + 2] ?? 0) : 0;
    this.#d = isWide ? (words[at + 3] ?? 0) : 0;
    this.#text = text;
  }

  /** The bytes of the host, in network order, begin at `at`. */
  static ofBytes(family: 4 | 6, port: number, bytes: Uint8Array, at = 0): PeerEndpoint {
    const count = family === 4 ? 4 : 16;
    for (let index = 0; index < count; index++) AT_HAND[index] = bytes[at + index] ?? 0;
    return new PeerEndpoint(family, port, WORDS_AT_HAND, 0, null);
  }

  get host(): string {
    if (this.#text === null) {
      this.putHost(WORDS_AT_HAND, 0);
      this.#text = ipText(this.family, AT_HAND);
    }
    return this.#text;
  }

  /** 4 or 16 bytes in network order, which are the caller's own. */
  hostBytes(): Uint8Array {
    this.putHost(WORDS_AT_HAND, 0);
    return AT_HAND.slice(0, this.family === 4 ? 4 : 16);
  }

  /** Writes the bytes of the host to the words of `memory` from `at` on: one, or four. */
  putHost(memory: Int32Array, at: number): void {
    memory[at] = this.#a;
    if (this.family === 4) return;
    memory[at + 1] = this.#b;
    memory[at + 2] = this.#c;
    memory[at + 3] = this.#d;
  }
}

/** A client, or a proxy that speaks for it: what an engine or a header has named. */
export type Peer = PeerEndpoint | UnixEndpoint;

/** The peer at an endpoint that is known as text. */
export function peerAt(endpoint: IpEndpoint): PeerEndpoint;
export function peerAt(endpoint: Endpoint): Peer;
export function peerAt(endpoint: Endpoint): Peer {
  if (endpoint.kind === 'unix' || endpoint instanceof PeerEndpoint) return endpoint;
  const { family, host, port } = endpoint;
  AT_HAND.set(hostBytesOf(endpoint));
  return new PeerEndpoint(family, port, WORDS_AT_HAND, 0, host);
}

/** As a message to another thread can carry it. */
export function plainEndpoint(endpoint: Endpoint): Endpoint {
  if (!(endpoint instanceof PeerEndpoint)) return endpoint;
  return ipEndpoint(endpoint.family, endpoint.host, endpoint.port);
}

/** 4 or 16 bytes in network order. */
export function hostBytesOf(endpoint: IpEndpoint): Uint8Array {
  if (endpoint instanceof PeerEndpoint) return endpoint.hostBytes();
  return present(ipBytes(endpoint.host), `an endpoint's host is an IP: ${endpoint.host}`);
}

/**
 * The endpoint that a text of the system names: an IPv6 address loses its zone and becomes
 * canonical, and one that stands for IPv4 (a client of a dual-stack socket) comes out as IPv4, as
 * `decodeAddress` has it. Null: `host` is no IP address.
 */
export function systemEndpoint(host: string, port: number): IpEndpoint | null {
  const bytes = systemBytes(host);
  if (bytes === null) return null;
  const family = familyOf(bytes);
  return ipEndpoint(family, ipText(family, bytes), port);
}

/** The same of a peer. */
export function systemPeer(host: string, port: number): PeerEndpoint | null {
  const bytes = systemBytes(host);
  return bytes === null ? null : PeerEndpoint.ofBytes(familyOf(bytes), port, bytes);
}

function systemBytes(host: string): Uint8Array | null {
  const zone = host.indexOf('%');
  const bytes = ipBytes(zone === -1 ? host : host.slice(0, zone));
  return bytes === null ? null : unmapped(bytes);
}

/** `10.0.0.1:53`, `[::1]:53`, `unix:/run/x.sock`, `db.example:5432`: as in the configuration. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.kind === 'ip' && address.family === 6
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

export function sameAddress(a: Address, b: Address): boolean {
  if (a.kind === 'unix') return b.kind === 'unix' && a.path === b.path;
  return b.kind !== 'unix' && a.port === b.port && a.host === b.host;
}

/** All addresses of the machine, or at a socket that dials: any of them. */
export const WILDCARD_HOSTS = { 4: '0.0.0.0', 6: '::' } as const;

/** Whether what is sent to one of both may be meant for the other. */
export function overlap(a: Endpoint, b: Endpoint): boolean {
  if (a.kind !== 'ip' || b.kind !== 'ip') return false;
  return a.port === b.port && (a.host === b.host || isWildcard(a) || isWildcard(b));
}

/** Only this machine reaches it. */
export function isLoopback({ family, host }: IpEndpoint): boolean {
  return family === 4 ? host.startsWith('127.') : host === '::1';
}

export function isWildcard(endpoint: Endpoint): boolean {
  return endpoint.kind === 'ip' && endpoint.host === WILDCARD_HOSTS[endpoint.family];
}
