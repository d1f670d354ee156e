/** The PROXY header that a pool asks for. */
import { unreachable } from '../../core/assert.js';
import type { PoolSettings } from '../../core/spec.js';
import { encodeV1, encodeV2 } from './encode.js';
import type { ProxyHeader } from './header.js';

/** null: none. */
export function encodeAs(
  version: PoolSettings['sendProxyProtocol'],
  header: ProxyHeader,
): Uint8Array | null {
  switch (version) {
    case 'off':
      return null;
    case 'v1':
      return encodeV1(header);
    case 'v2':
      return encodeV2(header);
    default:
      return unreachable(version);
  }
}
