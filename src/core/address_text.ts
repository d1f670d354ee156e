/**
 * Addresses as people and other programs write them: `10.0.0.1:53`, `[2001:db8::1]:53`,
 * `unix:/run/x.sock`, a name with a port, and blocks in CIDR notation.
 */
import type { Address, Endpoint, IpEndpoint } from './endpoint.js';
import { ipEndpoint } from './endpoint.js';
import { familyOf, ipBytes, ipText, keptIn, masked, unmapped } from './ip_bytes.js';
import { MAX_UNIX_PATH_BYTES } from './limits.js';
import { ok, type Result } from './result.js';
import type { AddressBlock } from './spec.js';

/** Why a text is no address that can be used here. */
export interface Misread {
  readonly code: 'malformed' | 'out-of-range';
  /** A clause: `no port`. */
  readonly problem: string;
}

/** Of an IPv4-mapped address, before the IPv4 one: ::ffff:0:0/96. */
const MAPPED_BITS = 96;

type Reading<T> = Result<T, Misread>;

function fault(code: Misread['code'], problem: string): { ok: false; error: Misread } {
  return { ok: false, error: { code, problem } };
}

/** Where a backend is: an IP address, a UNIX socket, or a name to resolve; port 1 to 65535. */
export function readAddress(text: string): Reading<Address> {
  if (text.startsWith('unix:')) return parseUnix(text);
  const parts = splitPort(text);
  if (!parts.ok) return parts;
  const { host, port, form } = parts.value;
  if (port === 0) return fault('out-of-range', 'port 0 cannot be connected to');
  const ip = parseIp(host, form);
  if (ip !== null) return ip.ok ? ok(endpointOf(ip.value, port)) : ip;
  if (isHostName(host)) return ok({ kind: 'name', host: host.toLowerCase(), port });
  return fault('malformed', 'neither an IP address nor a host name');
}

/** Where a listener listens: an IP address or a UNIX socket; port 0 asks for any free port. */
export function readEndpoint(text: string): Reading<Endpoint> {
  return text.startsWith('unix:') ? parseUnix(text) : readIpEndpoint(text);
}

/** The same without UNIX sockets. */
export function readIpEndpoint(text: string): Reading<IpEndpoint> {
  const parts = splitPort(text);
  if (!parts.ok) return parts;
  const { host, port, form } = parts.value;
  if (host === '' || host === '*') {
    return fault('malformed', 'no address: all of them are "0.0.0.0" and "[::]"');
  }
  const ip = parseIp(host, form);
  if (ip === null) return fault('malformed', 'not an IP address, and names are not resolved here');
  return ip.ok ? ok(endpointOf(ip.value, port)) : ip;
}

function endpointOf(bytes: Uint8Array, port: number): IpEndpoint {
  const family = familyOf(bytes);
  return ipEndpoint(family, ipText(family, bytes), port);
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits beyond the prefix must be zero. */
export function readBlock(text: string): Reading<AddressBlock> {
  const block = readBlockBytes(text);
  if (!block.ok) return block;
  const { bytes, prefixBits } = block.value;
  const family = familyOf(bytes);
  return ok({ family, host: ipText(family, bytes), prefixBits });
}

/** As `readBlock` reads it; a block of one address is that address. */
export function blockText({ family, host, prefixBits }: AddressBlock): string {
  return prefixBits === (family === 4 ? 32 : 128) ? host : `${host}/${prefixBits}`;
}

/**
 * Where clients of one network of IPv6 are one: its first address, or the address of IPv4. `key`:
 * see address_key.ts; '' for one without an address.
 */
export function networkText(key: Uint8Array, ipv6PrefixBits: number): string {
  if (key.length === 0) return '';
  const family = familyOf(key);
  return ipText(family, family === 4 ? key : masked(key, ipv6PrefixBits));
}

/** A block as 4 or 16 bytes in network order, and how many bits of them count. */
export interface BlockBytes {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

/** As `readBlock`, without the text of a million addresses. */
export function readBlockBytes(text: string): Reading<BlockBytes> {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const ip = parseIp(host, host.includes(':') ? 'bracketed' : 'bare');
  const isBlock = slash < 0 || !text.includes('/', slash + 1);
  if (ip === null || !isBlock) return fault('malformed', 'not an address or a block');
  if (!ip.ok) return mappedBlock(host, text.slice(slash + 1)) ?? ip;
  const bytes = ip.value;
  const fullBits = bytes.length * 8;
  if (slash < 0) return ok({ bytes, prefixBits: fullBits });
  const prefix = text.slice(slash + 1);
  if (!/^[0-9]{1,3}$/.test(prefix)) return fault('malformed', 'not a prefix length');
  const prefixBits = Number(prefix);
  if (prefixBits > fullBits) return fault('out-of-range', `prefix longer than ${fullBits} bits`);
  if (isNetwork(bytes, prefixBits)) return ok({ bytes, prefixBits });
  const block = `${ipText(familyOf(bytes), masked(bytes, prefixBits))}/${prefixBits}`;
  return fault('malformed', `bits beyond the prefix; the block is ${block}`);
}

/** How the block of an IPv4-mapped address is to be written; null: it is none. */
function mappedBlock(host: string, prefix: string): Reading<never> | null {
  const bytes = ipBytes(host);
  const inner = bytes?.length === 16 ? unmapped(bytes) : null;
  if (inner?.length !== 4 || !/^[0-9]{1,3}$/.test(prefix)) return null;
  const prefixBits = Number(prefix) - MAPPED_BITS;
  if (prefixBits < 0 || prefixBits > 32) {
    return fault('out-of-range', `IPv4 is behind prefixes of ${MAPPED_BITS} to 128 bits`);
  }
  const block = `${ipText(4, masked(inner, prefixBits))}/${prefixBits}`;
  return fault('malformed', `write it as IPv4, ${block}`);
}

/** IPv6 addresses stand in brackets where a port follows. */
type IpForm = 'bracketed' | 'bare';

interface HostPort {
  readonly host: string;
  readonly port: number;
  readonly form: IpForm;
}

function splitPort(text: string): Reading<HostPort> {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  if (match === null) return fault('malformed', whyNoPort(text));
  const port = Number(match[3]);
  if (port > 65_535) return fault('out-of-range', 'port above 65535');
  const form = match[1] === undefined ? 'bare' : 'bracketed';
  return ok({ host: match[1] ?? match[2] ?? '', port, form });
}

function whyNoPort(text: string): string {
  if (text.startsWith('/')) return 'a path needs "unix:" before it';
  if (text.includes('://')) return 'a URL, not an address';
  if (!text.startsWith('[') && text.split(':').length > 2) {
    return 'an IPv6 address needs brackets and a port after them';
  }
  return /:[^:\]]*$/.test(text) ? 'not a port number' : 'no port';
}

/** Null: not an IP address at all; a misfit: one that cannot be used here. */
function parseIp(host: string, form: IpForm): Reading<Uint8Array> | null {
  const bytes = ipBytes(host);
  if (form === 'bare') return bytes?.length === 4 ? ok(bytes) : null;
  if (host.includes('%')) return fault('malformed', 'zones ("%eth0") are not supported');
  if (bytes?.length !== 16) return fault('malformed', 'not an IPv6 address');
  const inner = unmapped(bytes);
  if (inner.length === 4) return fault('malformed', `write it as IPv4, ${ipText(4, inner)}`);
  return ok(bytes);
}

/** Whether all bits beyond the prefix are zero. */
function isNetwork(bytes: Uint8Array, prefixBits: number): boolean {
  for (let index = prefixBits >> 3; index < bytes.length; index++) {
    if (((bytes[index] ?? 0) & ~keptIn(index, prefixBits)) !== 0) return false;
  }
  return true;
}

function parseUnix(text: string): Reading<Endpoint> {
  const path = text.slice('unix:'.length);
  if (!path.startsWith('/')) return fault('malformed', 'the path of a UNIX socket starts with "/"');
  if (path.includes('\0')) return fault('malformed', 'a path has no zero byte');
  if (Buffer.byteLength(path) > MAX_UNIX_PATH_BYTES) {
    return fault('out-of-range', `a path longer than ${MAX_UNIX_PATH_BYTES} bytes`);
  }
  return ok({ kind: 'unix', path });
}

/**
 * RFC 1123, section 2.1, and underscores, which service names have. A last label of digits only
 * is an IPv4 address that went wrong, `10.0.0.256`.
 */
function isHostName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.');
  const isLabel = (label: string): boolean =>
    /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label);
  return host.length <= 253 && labels.every(isLabel) && !/^[0-9]+$/.test(labels.at(-1) ?? '');
}
