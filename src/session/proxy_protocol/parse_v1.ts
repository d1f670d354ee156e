/** Reads the line of PROXY protocol version 1 (proxy-protocol.txt, section 2.1), to the letter. */
import { PeerEndpoint } from '../../core/endpoint.js';
import { familyOf, ipBytes } from '../../core/ip_bytes.js';
import { bad, MAX_LINE_BYTES_V1, NEED_MORE_OF_HEADER, type ParsedHeader } from './header.js';

const BEGINNINGS = ['PROXY TCP4 ', 'PROXY TCP6 ', 'PROXY UNKNOWN ', 'PROXY UNKNOWN\r\n'];
/** Exactly one space between fields; ports without heading zeros. */
const LINE =
  /^PROXY TCP([46]) ([0-9a-fA-F:.]+) ([0-9a-fA-F:.]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;

/** `bytes` begins with a `P`. */
export function parseV1(bytes: Uint8Array): ParsedHeader {
  const text = String.fromCharCode(...bytes.subarray(0, MAX_LINE_BYTES_V1));
  if (!BEGINNINGS.some((beginning) => agree(beginning, text))) {
    return bad('version 1: not TCP4, TCP6 or UNKNOWN');
  }
  const end = text.indexOf('\r\n');
  if (end === -1) {
    if (bytes.length >= MAX_LINE_BYTES_V1) return bad('version 1: no CRLF within 107 bytes');
    return /\r.|\n/s.test(text) && !text.startsWith('PROXY UNKNOWN ')
      ? bad('version 1: a lone CR or LF')
      : NEED_MORE_OF_HEADER;
  }
  const length = end + 2;
  const line = text.slice(0, end);
  if (line.startsWith('PROXY UNKNOWN')) return header(length, null, null);
  const fields = LINE.exec(line);
  if (fields === null) return bad('version 1: the line is not in the exact format');
  const [, family, sourceHost = '', destinationHost = '', sourcePort, destinationPort] = fields;
  const source = endpoint(family, sourceHost, Number(sourcePort));
  const destination = endpoint(family, destinationHost, Number(destinationPort));
  if (source === null || destination === null) {
    return bad('version 1: an address or a port is not one of its family');
  }
  return header(length, source, destination);
}

function header(
  length: number,
  source: PeerEndpoint | null,
  destination: PeerEndpoint | null,
): ParsedHeader {
  return {
    kind: 'header',
    version: 1,
    command: 'proxy',
    transport: source === null ? null : 'stream',
    source,
    destination,
    tlvs: [],
    length,
  };
}

function endpoint(family: string | undefined, host: string, port: number): PeerEndpoint | null {
  const bytes = ipBytes(host);
  if (bytes === null || port > 0xffff) return null;
  const version = familyOf(bytes);
  return String(version) === family ? PeerEndpoint.ofBytes(version, port, bytes) : null;
}

/** True when one of the two is the beginning of the other. */
function agree(a: string, b: string): boolean {
  return a.length < b.length ? b.startsWith(a) : a.startsWith(b);
}
