/**
 * Bytes as a file has them: text with escapes (`PING\r\n`, `\x00`), or `hex:50494e47`. A TOML
 * string in single quotes leaves the escapes to us; one in double quotes reads most of them itself.
 */
import { fault, fits, type ReadValue } from './reading.js';

/** One segment of a probe's conversation; far more than any greeting needs. */
export const MAX_PAYLOAD_BYTES = 4_096;

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  '\\': 0x5c,
  '0': 0,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
};

/** The bytes that `text` stands for: UTF-8 but for its escapes, 1 to MAX_PAYLOAD_BYTES of them. */
export function parsePayload(text: string): ReadValue<Uint8Array> {
  const parsed = text.startsWith('hex:') ? parseHex(text.slice(4)) : parseEscaped(text);
  if (!parsed.ok) return parsed;
  if (parsed.value.length === 0) return fault('out-of-range', 'no byte');
  return parsed.value.length > MAX_PAYLOAD_BYTES ? fault('out-of-range', 'too long') : parsed;
}

function parseHex(text: string): ReadValue<Uint8Array> {
  const digits = text.replace(/\s/g, '');
  if (!/^(?:[0-9A-Fa-f]{2})*$/.test(digits)) return fault('malformed', 'not pairs of hex digits');
  return fits(Uint8Array.from(Buffer.from(digits, 'hex')));
}

function parseEscaped(text: string): ReadValue<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const match of text.matchAll(/\\(?:x([0-9A-Fa-f]{2})|([\s\S])|$)/g)) {
    const byte = match[1] === undefined ? SIMPLE_ESCAPES[match[2] ?? ''] : parseInt(match[1], 16);
    if (byte === undefined) return fault('malformed', `unknown escape ${match[0]}`);
    pieces.push(Buffer.from(text.slice(from, match.index)), Uint8Array.of(byte));
    from = match.index + match[0].length;
  }
  pieces.push(Buffer.from(text.slice(from)));
  return fits(Uint8Array.from(Buffer.concat(pieces)));
}
