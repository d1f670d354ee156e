/**
 * The key of a request, by which `source-hash` chooses: the text of an address, or anything else.
 */
import { isUint8Array } from 'node:util/types';
import { ipBytes, unmapped } from '../core/ip_bytes.js';
import { misfit } from './misfit.js';

export type Key = string | Uint8Array;

const NONE = new Uint8Array(0);
const V6_BYTES = 16;
const encoder = new TextEncoder();

export function mustBeKey(key: unknown): Key {
  if (typeof key === 'string' || isUint8Array(key)) return key;
  throw misfit('key', 'wrong type', 'a string or a Uint8Array', key);
}

/**
 * An IP address gives the key that the daemon has of such a client, so that both choose the same
 * backend. Any other text or bytes count whole; 16 of them would be taken for an IPv6 address, of
 * which a prefix counts only, so they get one more.
 */
export function clientKeyOf(key: Key | undefined): Uint8Array {
  if (key === undefined) return NONE;
  if (typeof key === 'string') {
    const address = ipBytes(key);
    if (address !== null) return unmapped(address);
  }
  const bytes = typeof key === 'string' ? encoder.encode(key) : key;
  if (bytes.length !== V6_BYTES) return bytes;
  const longer = new Uint8Array(V6_BYTES + 1);
  longer.set(bytes);
  return longer;
}
