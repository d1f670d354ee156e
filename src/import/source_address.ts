/** Which texts of a foreign file are an address that `source` of a pool takes. */
import { ipEndpoint, isWildcard } from '../core/endpoint.js';
import { familyOf, ipBytes, ipText } from '../core/ip_bytes.js';

/** An address without a port, and not "any address of this machine", which needs no `source`. */
export function isSourceAddress(text: string): boolean {
  const bytes = ipBytes(text);
  if (bytes === null) return false;
  const family = familyOf(bytes);
  return !isWildcard(ipEndpoint(family, ipText(family, bytes), 0));
}
