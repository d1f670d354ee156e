/** The hash of a client: equal for addresses that shall share a backend. */
import { xxh32 } from './hash.js';

const CLIENT_SEED = 0x636c6e74;
const V6_BYTES = 16;

export class ClientHash {
  readonly #prefixBits: number;
  readonly #key = new Uint8Array(V6_BYTES);

  /** `ipv6PrefixBits`, 0 to 128: clients whose IPv6 addresses begin alike hash alike. */
  constructor(ipv6PrefixBits: number) {
    this.#prefixBits = ipv6PrefixBits;
  }

  /**
   * Of an address as `addressKey` gives it; peers of UNIX sockets, which have none, count as one
   * client. 32 bits.
   */
  of(clientKey: Uint8Array): number {
    const key = this.#key;
    if (clientKey.length !== V6_BYTES) return xxh32(clientKey, clientKey.length, CLIENT_SEED);
    for (let i = 0; i < V6_BYTES; i++) {
      const bits = Math.min(Math.max(this.#prefixBits - i * 8, 0), 8);
      key[i] = (clientKey[i] ?? 0) & (0xff00 >> bits);
    }
    return xxh32(key, V6_BYTES, CLIENT_SEED);
  }
}
