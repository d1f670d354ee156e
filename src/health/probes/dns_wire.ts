/** The part of DNS messages (RFC 1035, section 4) that a probe needs. Pure. */
import { DNS_RCODES } from '../../core/dns_codes.js';

const HEADER_BYTES = 12;
const RECURSION_DESIRED = 0x01;
const IS_RESPONSE = 0x80;
const CLASS_IN = 1;

/** The question as it stands in query and response alike. Labels of `name` are 1 to 63 bytes. */
export function question(name: string, type: number): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'latin1');
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  const tail = Buffer.alloc(5);
  tail.writeUInt16BE(type, 1);
  tail.writeUInt16BE(CLASS_IN, 3);
  return Buffer.concat([...parts, tail]);
}

/** A query with the 16-bit identifier `id`. */
export function query(id: number, asked: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt8(RECURSION_DESIRED, 2);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, asked]);
}

/**
 * The response code if `datagram` answers the query `id` for `asked`; null if it is something else.
 */
export function responseCode(datagram: Buffer, id: number, asked: Buffer): string | null {
  if (datagram.length < HEADER_BYTES || datagram.readUInt16BE(0) !== id) return null;
  if ((datagram.readUInt8(2) & IS_RESPONSE) === 0) return null;
  // Servers that cannot read a query (FORMERR) may leave the question out.
  if (datagram.readUInt16BE(4) !== 0) {
    const echoed = datagram.subarray(HEADER_BYTES, HEADER_BYTES + asked.length);
    if (echoed.toString('latin1').toLowerCase() !== asked.toString('latin1').toLowerCase()) {
      return null;
    }
  }
  const code = datagram.readUInt8(3) & 0x0f;
  return DNS_RCODES[code] ?? `RCODE${code}`;
}
