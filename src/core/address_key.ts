/** An address as the bytes that source-hash hashes. */
import { present } from './assert.js';
import type { Endpoint } from './endpoint.js';
import { ipBytes, unmapped } from './ip_bytes.js';

const NONE = new Uint8Array(0);

/**
 * 4 or 16 bytes in network order; an IPv4-mapped IPv6 address gives its 4; a UNIX peer gives none.
 */
export function addressKey(endpoint: Endpoint): Uint8Array {
  if (endpoint.kind === 'unix') return NONE;
  return unmapped(present(ipBytes(endpoint.host), 'an endpoint holds an IP address'));
}
