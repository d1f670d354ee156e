/** Reading what a source says: JSON of unknown shape, and quoting it in a sentence. */
import { ipBytes } from '../core/ip_bytes.js';

const MAX_SHOWN = 80;

/** What others wrote, short and printable. */
export function shown(text: string): string {
  const plain = text.replaceAll(/[^\x20-\x7e]/g, '?');
  return plain.length > MAX_SHOWN ? `${plain.slice(0, MAX_SHOWN)}…` : plain;
}

/** A host as it stands before a port: an IPv6 address in brackets. */
export function inBrackets(host: string): string {
  return ipBytes(host)?.length === 16 ? `[${host}]` : host;
}
