/**
 * Socket addresses as the kernel lays them out: sockaddr_in (ip(7)), sockaddr_in6 (ipv6(7)) and
 * sockaddr_un (unix(7)). Endpoints go in and come out.
 */
import { endianness } from 'node:os';
import { present } from '../core/assert.js';
import { DialledEndpoint, type Endpoint, ipEndpoint } from '../core/endpoint.js';
import { ipBytes, ipText, isMapped } from '../core/ip_bytes.js';
import { MAX_UNIX_PATH_BYTES } from '../core/limits.js';

/** <bits/socket.h> */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

export const SOCKADDR_IN_BYTES = 16;
export const SOCKADDR_IN6_BYTES = 28;
/** After sin6_addr. */
export const SIN6_SCOPE_ID_AT = 24;
/** Two bytes of family and sun_path with its terminating zero; no address is longer. */
export const SOCKADDR_MAX_BYTES = 2 + MAX_UNIX_PATH_BYTES + 1;

const LITTLE = endianness() === 'LE';

export function addressFamily(endpoint: Endpoint): number {
  if (endpoint.kind === 'unix') return AF_UNIX;
  return endpoint.family === 4 ? AF_INET : AF_INET6;
}

/**
 * The bytes of a sockaddr of exactly the length that bind(2) and connect(2) want. `scopeId`: the
 * interface of a link-local IPv6 address.
 */
export function encodeAddress(endpoint: Endpoint, scopeId = 0): Uint8Array {
  const family = addressFamily(endpoint);
  if (endpoint.kind === 'unix') {
    const path = new TextEncoder().encode(endpoint.path);
    // The terminating zero counts (unix(7), "Pathname sockets").
    const bytes = new Uint8Array(2 + path.length + 1);
    new DataView(bytes.buffer).setUint16(0, family, LITTLE);
    bytes.set(path, 2);
    return bytes;
  }
  const host = present(ipBytes(endpoint.host), `an endpoint's host is an IP: ${endpoint.host}`);
  const bytes = new Uint8Array(endpoint.family === 4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, LITTLE);
  view.setUint16(2, endpoint.port);
  // sin_addr follows the port; sin6_addr follows the port and sin6_flowinfo.
  bytes.set(host, endpoint.family === 4 ? 4 : 8);
  if (endpoint.family === 6) view.setUint32(SIN6_SCOPE_ID_AT, scopeId, LITTLE);
  return bytes;
}

/**
 * A sockaddr that is written to memory again and again. One of IP stands in the object itself: an
 * array would be two more objects, and of thousands of backends each is another miss of the caches.
 */
export class KeptAddress {
  readonly bytes: number;
  // As the memory has them; what is behind the last one is zero.
  readonly #a: number;
  readonly #b: number;
  readonly #c: number;
  readonly #d: number;
  readonly #e: number;
  readonly #f: number;
  readonly #g: number;
  /** Those of a path. */
  readonly #further: Int32Array | null;

  constructor(address: Uint8Array) {
    const padded = new Uint8Array(4 * Math.ceil(Math.max(address.length, SOCKADDR_IN6_BYTES) / 4));
    padded.set(address);
    const words = new Int32Array(padded.buffer);
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0] = words;
    this.bytes = address.length;
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
    this.#e = e;
    this.#f = f;
    this.#g = g;
    this.#further = address.length > SOCKADDR_IN6_BYTES ? words.subarray(7) : null;
  }

  /** Writes it to the words of `memory` from `at` on, where there is room for any address. */
  put(memory: Int32Array, at: number): void {
    memory[at] = this.#a;
    memory[at + 1] = this.#b;
    memory[at + 2] = this.#c;
    memory[at + 3] = this.#d;
    if (this.bytes === SOCKADDR_IN_BYTES) return;
    memory[at + 4] = this.#e;
    memory[at + 5] = this.#f;
    memory[at + 6] = this.#g;
    if (this.#further !== null) memory.set(this.#further, at + 7);
  }
}

const KEPT = Symbol('the sockaddr of an endpoint');

/**
 * The sockaddr of `endpoint`, worked out once and kept in the endpoint itself. A WeakMap would keep
 * it outside, but one look into a map of thousands misses the caches several times, at each dial.
 */
export function keptAddress(endpoint: Endpoint & { [KEPT]?: KeptAddress }): KeptAddress {
  const isDialled = endpoint instanceof DialledEndpoint;
  const known = isDialled ? endpoint.workedOut : endpoint[KEPT];
  if (known instanceof KeptAddress) return known;
  const value = new KeptAddress(encodeAddress(endpoint));
  // No part of what an endpoint says: it is not listed, compared or sent.
  if (isDialled) endpoint.workedOut = value;
  else Object.defineProperty(endpoint, KEPT, { value });
  return value;
}

/** The port in the sockaddr of IP at `at`. */
export function portAt(memory: DataView, at: number): number {
  return memory.getUint16(at + 2);
}

/** True when the sockaddrs of IP at `a` and `b`, of one family, have the same host. */
export function sameHostAt(memory: DataView, a: number, b: number): boolean {
  const [from, to] = memory.getUint16(a, LITTLE) === AF_INET ? [4, 8] : [8, 24];
  for (let at = from; at < to; at++) {
    if (memory.getUint8(a + at) !== memory.getUint8(b + at)) return false;
  }
  return true;
}

/**
 * The endpoint in `bytes`, of which the kernel said that `length` are the address. IPv6 addresses
 * that stand for IPv4 (a client of a dual-stack socket) come out as IPv4. An unnamed unix socket
 * has an empty path.
 */
export function decodeAddress(bytes: Uint8Array, length: number): Endpoint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = length >= 2 ? view.getUint16(0, LITTLE) : AF_UNIX;
  if (family === AF_INET) return ipEndpoint(4, ipText(4, bytes, 4), view.getUint16(2));
  if (family === AF_INET6) {
    const port = view.getUint16(2);
    return isMapped(bytes, 8)
      ? ipEndpoint(4, ipText(4, bytes, 20), port)
      : ipEndpoint(6, ipText(6, bytes, 8), port);
  }
  const path = bytes.subarray(2, Math.max(2, Math.min(length, bytes.length)));
  const end = path.indexOf(0);
  return { kind: 'unix', path: new TextDecoder().decode(end < 0 ? path : path.subarray(0, end)) };
}
