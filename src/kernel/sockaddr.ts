/**
 * Socket addresses as the kernel lays them out: sockaddr_in (ip(7)), sockaddr_in6 (ipv6(7)) and
 * sockaddr_un (unix(7)). Endpoints go in and come out.
 */
import { endianness } from 'node:os';
import { type Endpoint, hostBytesOf, ipEndpoint, PeerEndpoint } from '../core/endpoint.js';
import { ipText, isMapped } from '../core/ip_bytes.js';
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
/** The third word of ::ffff:0:0/96, behind two of zeros. */
const MAPPED_PREFIX = LITTLE ? 0xffff_0000 | 0 : 0xffff;

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
  const bytes = new Uint8Array(endpoint.family === 4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, LITTLE);
  view.setUint16(2, endpoint.port);
  // sin_addr follows the port; sin6_addr follows the port and sin6_flowinfo.
  bytes.set(hostBytesOf(endpoint), endpoint.family === 4 ? 4 : 8);
  if (endpoint.family === 6) view.setUint32(SIN6_SCOPE_ID_AT, scopeId, LITTLE);
  return bytes;
}

/**
 * Writes the sockaddr of `endpoint` to the words of `memory` from `at` on, where there is room for
 * any; answers how many bytes it has. That of a backend over IP is made of what its endpoint keeps,
 * in a few steps; the zeros of sockaddr_in, too (ip(7): sin_zero).
 */
export function putAddress(endpoint: Endpoint, memory: Int32Array, at: number): number {
  if (!(endpoint instanceof PeerEndpoint)) return putEncoded(endpoint, memory, at);
  const { family, port } = endpoint;
  if (family === 4) {
    memory[at] = familyAndPort(AF_INET, port);
    endpoint.putHost(memory, at + 1);
    memory[at + 2] = 0;
    memory[at + 3] = 0;
    return SOCKADDR_IN_BYTES;
  }
  memory[at] = familyAndPort(AF_INET6, port);
  // sin6_flowinfo, and behind the address the scope.
  memory[at + 1] = 0;
  endpoint.putHost(memory, at + 2);
  memory[at + 6] = 0;
  return SOCKADDR_IN6_BYTES;
}

/** Those of unix sockets: made once per backend. */
const ENCODED = new WeakMap<Endpoint, Uint8Array>();

function putEncoded(endpoint: Endpoint, memory: Int32Array, at: number): number {
  let bytes = ENCODED.get(endpoint);
  if (bytes === undefined) {
    bytes = encodeAddress(endpoint);
    ENCODED.set(endpoint, bytes);
  }
  const { BYTES_PER_ELEMENT: size } = memory;
  new Uint8Array(memory.buffer, memory.byteOffset + at * size).set(bytes);
  return bytes.length;
}

/** The first word of a sockaddr of IP, whose port is in network order. */
function familyAndPort(family: number, port: number): number {
  return LITTLE ? family | ((port & 0xff) << 24) | ((port >>> 8) << 16) : (family << 16) | port;
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
 * The peer whose sockaddr of IP begins at word `at` of `memory`. IPv6 addresses that stand for IPv4
 * (a client of a dual-stack socket) come out as IPv4.
 */
export function decodePeer(memory: Int32Array, at: number): PeerEndpoint {
  const first = memory[at] ?? 0;
  const port = LITTLE ? ((first >>> 8) & 0xff00) | (first >>> 24) : first & 0xffff;
  const family = LITTLE ? first & 0xffff : first >>> 16;
  if (family === AF_INET) return new PeerEndpoint(4, port, memory, at + 1, null);
  // Behind sin6_flowinfo.
  const host = at + 2;
  const isInner =
    memory[host] === 0 && memory[host + 1] === 0 && memory[host + 2] === MAPPED_PREFIX;
  return isInner
    ? new PeerEndpoint(4, port, memory, host + 3, null)
    : new PeerEndpoint(6, port, memory, host, null);
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
