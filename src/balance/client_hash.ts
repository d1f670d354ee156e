/** The hash of a client: equal for addresses that shall share a backend. */
import { xxh32 } from './hash.js';

const CLIENT_SEED = 0x636c6e74;
const V6_BYTES = 16;
/** ::ffff:0:0/96, RFC 4291 section 2.5.5.2 */
const MAPPED_PREFIX_BYTES = 12;

export class ClientHash {
  readonly #prefixBits: number;
  readonly #key = new Uint8Array(V6_BYTES);

  /** `ipv6PrefixBits`, 0 to 128: clients whose IPv6 addresses begin alike hash alike. */
  constructor(ipv6PrefixBits: number) {
    this.#prefixBits = ipv6PrefixBits;
  }

  /** Of 4 or 16 bytes, or of none (UNIX peers, who are one client). Unsigned 32 bits. */
  of(clientKey: Uint8Array): number {
    const key = this.#key;
    if (clientKey.length !== V6_BYTES) return xxh32(clientKey, clientKey.length, CLIENT_SEED);
    if (isMapped(clientKey)) {
      // One prefix holds all of IPv4: it must not become one client.
      for (let i = 0; i < 4; i++) key[i] = clientKey[MAPPED_PREFIX_BYTES + i] ?? 0;
      return xxh32(key, 4, CLIENT_SEED);
    }
    for (let i = 0; i < V6_BYTES; i++) {
      const bits = Math.min(Math.max(this.#prefixBits - i * 8, 0), 8);
      key[i] = (clientKey[i] ?? 0) & (0xff00 >> bits);
    }
    return xxh32(key, V6_BYTES, CLIENT_SEED);
  }
}

function isMapped(clientKey: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (clientKey[i] !== 0) return false;
  return clientKey[10] === 0xff && clientKey[11] === 0xff;
}
