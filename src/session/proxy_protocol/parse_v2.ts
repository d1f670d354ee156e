/** Reads the binary header of PROXY protocol version 2 (proxy-protocol.txt, section 2.2). */
import { type Peer, PeerEndpoint } from '../../core/endpoint.js';
import { MAX_PROXY_HEADER_BYTES } from '../../core/limits.js';
import { crc32c } from './crc32c.js';
import {
  bad,
  FIXED_BYTES_V2,
  NEED_MORE_OF_HEADER,
  type ParsedHeader,
  SIGNATURE_V2,
  TLV,
  type Tlv,
  type Transport,
  UNIX_PATH_BYTES,
} from './header.js';

/** The longest host name of DNS; HAProxy keeps to the same limit. */
const MAX_AUTHORITY_BYTES = 255;
/** Section 2.2.5. */
const MAX_UNIQUE_ID_BYTES = 128;

interface Layout {
  readonly family: 'inet' | 'inet6' | 'unix';
  readonly transport: Transport;
  /** Bytes of both addresses, and ports where there are any. */
  readonly addressBytes: number;
}

/** By the 14th byte; 0x00 (UNSPEC) is the only other one that is valid. */
const LAYOUTS: ReadonlyMap<number, Layout> = new Map([
  [0x11, { family: 'inet', transport: 'stream', addressBytes: 12 }],
  [0x12, { family: 'inet', transport: 'dgram', addressBytes: 12 }],
  [0x21, { family: 'inet6', transport: 'stream', addressBytes: 36 }],
  [0x22, { family: 'inet6', transport: 'dgram', addressBytes: 36 }],
  [0x31, { family: 'unix', transport: 'stream', addressBytes: 2 * UNIX_PATH_BYTES }],
  [0x32, { family: 'unix', transport: 'dgram', addressBytes: 2 * UNIX_PATH_BYTES }],
]);

/** `bytes` begins with a CR. An error is reported as soon as its byte is there. */
export function parseV2(bytes: Uint8Array): ParsedHeader {
  for (let i = 0; i < SIGNATURE_V2.length && i < bytes.length; i++) {
    if (bytes[i] !== SIGNATURE_V2[i]) return bad('no PROXY protocol signature');
  }
  const versionAndCommand = bytes[12];
  if (versionAndCommand === undefined) return NEED_MORE_OF_HEADER;
  if (versionAndCommand >> 4 !== 2) return bad(`version 2: version ${versionAndCommand >> 4}`);
  const command = versionAndCommand & 15;
  if (command > 1) return bad(`version 2: command ${command}`);
  const familyByte = bytes[13];
  if (familyByte === undefined) return NEED_MORE_OF_HEADER;
  const layout = command === 0 ? undefined : LAYOUTS.get(familyByte);
  // LOCAL ignores the family; UNSPEC is accepted with the connection's real addresses.
  if (command === 1 && familyByte !== 0 && layout === undefined) {
    return bad(`version 2: family and transport 0x${familyByte.toString(16).padStart(2, '0')}`);
  }
  if (bytes.length < FIXED_BYTES_V2) return NEED_MORE_OF_HEADER;
  const length = FIXED_BYTES_V2 + uint16(bytes, 14);
  if (length > MAX_PROXY_HEADER_BYTES) return bad(`version 2: a header of ${length} bytes`);
  if (layout !== undefined && length < FIXED_BYTES_V2 + layout.addressBytes) {
    return bad('version 2: shorter than its addresses');
  }
  if (bytes.length < length) return NEED_MORE_OF_HEADER;
  const header = bytes.subarray(0, length);
  return layout === undefined ? withoutAddresses(command, length) : withAddresses(header, layout);
}

function withoutAddresses(command: number, length: number): ParsedHeader {
  return {
    kind: 'header',
    version: 2,
    command: command === 0 ? 'local' : 'proxy',
    transport: null,
    source: null,
    destination: null,
    tlvs: [],
    length,
  };
}

function withAddresses(header: Uint8Array, layout: Layout): ParsedHeader {
  const tlvs = readTlvs(header, FIXED_BYTES_V2 + layout.addressBytes);
  if (typeof tlvs === 'string') return bad(`version 2: ${tlvs}`);
  const [source, destination] = addresses(header, layout.family);
  return {
    kind: 'header',
    version: 2,
    command: 'proxy',
    transport: layout.transport,
    source,
    destination,
    tlvs,
    length: header.length,
  };
}

function addresses(header: Uint8Array, family: Layout['family']): readonly [Peer, Peer] {
  const from = FIXED_BYTES_V2;
  if (family === 'unix') {
    const to = from + UNIX_PATH_BYTES;
    return [
      { kind: 'unix', path: path(header.subarray(from, to)) },
      { kind: 'unix', path: path(header.subarray(to, to + UNIX_PATH_BYTES)) },
    ];
  }
  const [version, hostBytes] = family === 'inet' ? ([4, 4] as const) : ([6, 16] as const);
  const to = from + hostBytes;
  const ports = to + hostBytes;
  return [
    PeerEndpoint.ofBytes(version, uint16(header, ports), header, from),
    PeerEndpoint.ofBytes(version, uint16(header, ports + 2), header, to),
  ];
}

/** A path ends at its first zero; a name that begins with one is abstract (unix(7)). */
function path(bytes: Uint8Array): string {
  let end = bytes.indexOf(0);
  if (end === 0) end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  return new TextDecoder().decode(bytes.subarray(0, end === -1 ? bytes.length : end));
}

/** All TLVs from `at` to the end, or what is wrong with them. */
function readTlvs(header: Uint8Array, start: number): readonly Tlv[] | string {
  const tlvs: Tlv[] = [];
  let checksums = 0;
  for (let at = start; at < header.length; ) {
    if (at + 3 > header.length) return 'a TLV is cut short';
    const type = header[at] ?? 0;
    const valueAt = at + 3;
    const end = valueAt + uint16(header, at + 1);
    if (end > header.length) return 'a TLV is longer than the header';
    const problem = checkTlv(header, type, valueAt, end);
    if (problem !== null) return problem;
    if (type === TLV.crc32c && ++checksums > 1) return 'two CRC32C';
    tlvs.push({ type, value: new Uint8Array(header.subarray(valueAt, end)) });
    at = end;
  }
  return tlvs;
}

function checkTlv(header: Uint8Array, type: number, at: number, end: number): string | null {
  if (type === TLV.authority && end - at > MAX_AUTHORITY_BYTES) return 'AUTHORITY is too long';
  if (type === TLV.uniqueId && end - at > MAX_UNIQUE_ID_BYTES) return 'UNIQUE_ID is too long';
  if (type !== TLV.crc32c) return null;
  if (end - at !== 4) return 'CRC32C is not 4 bytes long';
  // Not slice(): that of a Buffer is no copy.
  const zeroed = new Uint8Array(header).fill(0, at, end);
  const wanted = uint16(header, at) * 0x1_0000 + uint16(header, at + 2);
  return crc32c(zeroed) === wanted ? null : 'CRC32C does not match';
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
