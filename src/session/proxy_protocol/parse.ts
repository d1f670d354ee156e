/**
 * Reads a PROXY protocol header of either version (HAProxy's proxy-protocol.txt, section 2). The
 * parser is total: any bytes give an answer, and nothing is guessed.
 */
import { bad, NEED_MORE_OF_HEADER, type ParsedHeader, SIGNATURE_V2 } from './header.js';
import { parseV1 } from './parse_v1.js';
import { parseV2 } from './parse_v2.js';

/**
 * `bytes`: all that came so far, from the first byte on. What is returned does not point into it.
 */
export function parse(bytes: Uint8Array): ParsedHeader {
  const first = bytes[0];
  if (first === undefined) return NEED_MORE_OF_HEADER;
  if (first === SIGNATURE_V2[0]) return parseV2(bytes);
  return first === 0x50 ? parseV1(bytes) : bad('no PROXY protocol signature');
}
