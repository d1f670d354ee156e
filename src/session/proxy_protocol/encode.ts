/** Writes PROXY protocol headers of version 1 and 2 (HAProxy's proxy-protocol.txt, section 2). */
import { assert } from '../../core/assert.js';
import { type Endpoint, hostBytesOf } from '../../core/endpoint.js';
import { ipText, mapped, unmapped } from '../../core/ip_bytes.js';
import { crc32c } from './crc32c.js';
import {
  FIXED_BYTES_V2,
  type ProxyHeader,
  SIGNATURE_V2,
  TLV,
  type Tlv,
  type Transport,
  UNIX_PATH_BYTES,
} from './header.js';

const VERSION_2_LOCAL = 0x20;
const VERSION_2_PROXY = 0x21;
const FAMILY = { unspecified: 0x00, inet: 0x10, inet6: 0x20, unix: 0x30 } as const;
const TRANSPORT: Readonly<Record<Transport, number>> = { stream: 1, dgram: 2 };
const TLV_HEAD_BYTES = 3;
const CRC32C_BYTES = 4;

/** The header of a health probe: the proxy speaks for itself (section 2.2, LOCAL). */
export const LOCAL_V2: Uint8Array = frame(VERSION_2_LOCAL, FAMILY.unspecified, new Uint8Array(0));

/**
 * Version 1 where the addresses are not known. Probes should rather send `encodeV1` of their
 * socket's own two addresses, because some servers refuse UNKNOWN (section 2.1).
 */
export const UNKNOWN_V1: Uint8Array = new TextEncoder().encode('PROXY UNKNOWN\r\n');

/**
 * A header of version 2. TLVs pass on as they are, but for NOOP, which is dropped, and CRC32C,
 * which is computed anew. One address of each family goes as two of IPv6; where an address is
 * missing the header says UNSPEC, and without TLVs, for a receiver cannot know where they begin.
 */
export function encodeV2(header: ProxyHeader): Uint8Array {
  const { source, destination } = header;
  if (source?.kind === 'unix' && destination?.kind === 'unix') {
    const paths = new Uint8Array(2 * UNIX_PATH_BYTES);
    paths.set(pathBytes(source.path), 0);
    paths.set(pathBytes(destination.path), UNIX_PATH_BYTES);
    return withTlvs(FAMILY.unix + TRANSPORT[header.transport], paths, header.tlvs);
  }
  const pair = ipPair(source, destination);
  if (pair === null) return frame(VERSION_2_PROXY, FAMILY.unspecified, new Uint8Array(0));
  const [from, to] = pair;
  const hostBytes = from.host.length;
  const addresses = new Uint8Array(2 * hostBytes + 4);
  addresses.set(from.host, 0);
  addresses.set(to.host, hostBytes);
  setUint16(addresses, 2 * hostBytes, from.port);
  setUint16(addresses, 2 * hostBytes + 2, to.port);
  const family = hostBytes === 4 ? FAMILY.inet : FAMILY.inet6;
  return withTlvs(family + TRANSPORT[header.transport], addresses, header.tlvs);
}

/** A line of version 1, which knows TCP over IP only: UNKNOWN for anything else. */
export function encodeV1(header: ProxyHeader): Uint8Array {
  const pair = header.transport === 'stream' ? ipPair(header.source, header.destination) : null;
  if (pair === null) return UNKNOWN_V1;
  const [from, to] = pair;
  const family = from.host.length === 4 ? 4 : 6;
  const hosts = `${ipText(family, from.host)} ${ipText(family, to.host)}`;
  return new TextEncoder().encode(`PROXY TCP${family} ${hosts} ${from.port} ${to.port}\r\n`);
}

interface IpPort {
  /** 4 or 16 bytes. */
  readonly host: Uint8Array;
  readonly port: number;
}

/** Both addresses in one family: IPv4 if both can be, otherwise IPv6. */
function ipPair(from: Endpoint | null, to: Endpoint | null): readonly [IpPort, IpPort] | null {
  if (from?.kind !== 'ip' || to?.kind !== 'ip') return null;
  const a = unmapped(hostBytesOf(from));
  const b = unmapped(hostBytesOf(to));
  const fold = a.length === b.length ? (host: Uint8Array) => host : mapped;
  return [
    { host: fold(a), port: from.port },
    { host: fold(b), port: to.port },
  ];
}

/** Cut to sun_path's size, for a path that is not UTF-8 may grow when it is decoded. */
function pathBytes(path: string): Uint8Array {
  return new TextEncoder().encode(path).subarray(0, UNIX_PATH_BYTES);
}

function withTlvs(family: number, addresses: Uint8Array, tlvs: readonly Tlv[]): Uint8Array {
  const kept = tlvs.filter((tlv) => tlv.type !== TLV.noop && tlv.type !== TLV.crc32c);
  const sealed = tlvs.some((tlv) => tlv.type === TLV.crc32c);
  if (sealed) kept.push({ type: TLV.crc32c, value: new Uint8Array(CRC32C_BYTES) });
  const tlvBytes = kept.reduce((sum, tlv) => sum + TLV_HEAD_BYTES + tlv.value.length, 0);
  const body = new Uint8Array(addresses.length + tlvBytes);
  body.set(addresses, 0);
  let at = addresses.length;
  for (const tlv of kept) {
    body[at] = tlv.type;
    setUint16(body, at + 1, tlv.value.length);
    body.set(tlv.value, at + TLV_HEAD_BYTES);
    at += TLV_HEAD_BYTES + tlv.value.length;
  }
  const bytes = frame(VERSION_2_PROXY, family, body);
  // The checksum stands last and is computed with zeros in its place (section 2.2.3).
  if (sealed) new DataView(bytes.buffer).setUint32(bytes.length - CRC32C_BYTES, crc32c(bytes));
  return bytes;
}

function frame(versionAndCommand: number, family: number, body: Uint8Array): Uint8Array {
  assert(body.length <= 0xffff, 'the body of a header is at most 65,535 bytes');
  const bytes = new Uint8Array(FIXED_BYTES_V2 + body.length);
  bytes.set(SIGNATURE_V2, 0);
  bytes[12] = versionAndCommand;
  bytes[13] = family;
  setUint16(bytes, 14, body.length);
  bytes.set(body, FIXED_BYTES_V2);
  return bytes;
}

function setUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}
