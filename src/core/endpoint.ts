/**
 * Where a socket is bound to or connects to, after names were resolved. Endpoints are immutable
 * and made once per backend, so an engine may cache what it derives from one by identity.
 */
import { present } from './assert.js';
import { ipBytes, ipText, unmapped } from './ip_bytes.js';

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

/**
 * The endpoint of a backend that is dialled. Its host stands in the object itself as bytes, too: of
 * thousands each object on the way to them is another miss of the caches, at each dial. What a dial
 * over IPv4 reads comes first.
 */
export class DialledEndpoint implements IpEndpoint {
  readonly kind = 'ip';
  readonly family: 4 | 6;
  readonly port: number;
  // In network order, as memory has them; IPv4 is the first one.
  readonly #a: number;
  readonly #b: number;
  readonly #c: number;
  readonly #d: number;
  readonly host: string;

  constructor({ family, host, port }: IpEndpoint) {
    const bytes = present(ipBytes(host), `an endpoint's host is an IP: ${host}`);
    const words = new Int32Array(4);
    new Uint8Array(words.buffer).set(bytes);
    const [a = 0, b = 0, c = 0, d = 0] = words;
    this.family = family;
    this.port = port;
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
    this.host = host;
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

/**
 * The endpoint that a text of the system names: an IPv6 address loses its zone and becomes
 * canonical, and one that stands for IPv4 (a client of a dual-stack socket) comes out as IPv4, as
 * `decodeAddress` has it. Null: `host` is no IP address.
 */
export function systemEndpoint(host: string, port: number): IpEndpoint | null {
  const zone = host.indexOf('%');
  const bytes = ipBytes(zone === -1 ? host : host.slice(0, zone));
  if (bytes === null) return null;
  const plain = unmapped(bytes);
  const family = plain.length === 4 ? 4 : 6;
  return ipEndpoint(family, ipText(family, plain), port);
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
