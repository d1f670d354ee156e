/**
 * A decoder of PROXY protocol v2 that shares nothing with the daemon: straight from the text of
 * proxy-protocol.txt, section 2.2, so that tests do not check the codec by itself.
 */

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

export interface DecodedProxy {
  readonly command: 'LOCAL' | 'PROXY';
  /** The byte of family and protocol: 0x12 is UDP over IPv4. */
  readonly transport: number;
  /** `address:port` */
  readonly source: string;
  readonly destination: string;
  /** null: no CRC32C was sent. */
  readonly checksumHolds: boolean | null;
  readonly payload: Buffer;
}

/** Decodes a header for IPv4 or IPv6 and gives what follows it; throws when it is not one. */
export function decodeProxy(bytes: Buffer): DecodedProxy {
  if (!bytes.subarray(0, 12).equals(SIGNATURE)) throw new Error('no signature');
  const versionAndCommand = bytes.readUInt8(12);
  if (versionAndCommand >> 4 !== 2) throw new Error('not version 2');
  const transport = bytes.readUInt8(13);
  const end = 16 + bytes.readUInt16BE(14);
  const wide = transport >> 4 === 2;
  const addressBytes = wide ? 16 : 4;
  const text = (at: number): string => {
    const part = bytes.subarray(at, at + addressBytes);
    return wide ? part.toString('hex') : [...part].join('.');
  };
  const ports = 16 + 2 * addressBytes;
  return {
    command: (versionAndCommand & 0xf) === 1 ? 'PROXY' : 'LOCAL',
    transport,
    source: `${text(16)}:${bytes.readUInt16BE(ports)}`,
    destination: `${text(16 + addressBytes)}:${bytes.readUInt16BE(ports + 2)}`,
    checksumHolds: checksum(bytes.subarray(0, end), ports + 4),
    payload: bytes.subarray(end),
  };
}

/** A header for UDP over IPv4 without TLVs. */
export function encodeUdp4(source: string, sourcePort: number): Buffer {
  const header = Buffer.alloc(28);
  SIGNATURE.copy(header);
  header.set([0x21, 0x12, 0, 12], 12);
  header.set(source.split('.').map(Number), 16);
  header.set([127, 0, 0, 1], 20);
  header.writeUInt16BE(sourcePort, 24);
  header.writeUInt16BE(53, 26);
  return header;
}

function checksum(header: Buffer, tlvsAt: number): boolean | null {
  for (let at = tlvsAt; at + 3 <= header.length; at += 3 + header.readUInt16BE(at + 1)) {
    if (header.readUInt8(at) !== 0x03) continue;
    const zeroed = Buffer.from(header);
    zeroed.fill(0, at + 3, at + 7);
    return crc32c(zeroed) === header.readUInt32BE(at + 3);
  }
  return null;
}

/** RFC 3720, appendix B.4, bit by bit. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
