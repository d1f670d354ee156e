/** Which texts of a foreign file are an address that `source` of a pool takes. */
import { WILDCARD_HOSTS } from '../core/endpoint.js';
import { ipBytes, ipText } from '../core/ip_bytes.js';

/** An address without a port, and not "any address of this machine", which needs no `source`. */
export function isSourceAddress(text: string): boolean {
  const bytes = ipBytes(text);
  if (bytes === null) return false;
  const family = bytes.length === 4 ? 4 : 6;
  return ipText(family, bytes) !== WILDCARD_HOSTS[family];
}
