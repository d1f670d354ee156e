/** The hash of a client: equal for addresses that shall share a backend. */
import { keptIn } from '../core/ip_bytes.js';
import { xxh32 } from './hash.js';

const CLIENT_SEED = 0x636c6e74;
const V6_BYTES = 16;

export class ClientHash {
  /** How many bytes of an IPv6 address count whole, and which bits of the one behind them. */
  readonly #whole: number;
  readonly #restMask: number;
  /** Zero behind those. */
  readonly #key = new Uint8Array(V6_BYTES);

  /** `ipv6PrefixBits`, 0 to 128: clients whose IPv6 addresses begin alike hash alike. */
  constructor(ipv6PrefixBits: number) {
    this.#whole = ipv6PrefixBits >> 3;
    this.#restMask = keptIn(this.#whole, ipv6PrefixBits);
  }

  /**
   * Of an address as `addressKey` gives it; peers of UNIX sockets, which have none, count as one
   * client. 32 bits.
   */
  of(clientKey: Uint8Array): number {
    if (clientKey.length !== V6_BYTES) return xxh32(clientKey, clientKey.length, CLIENT_SEED);
    const key = this.#key;
    const whole = this.#whole;
    for (let i = 0; i < whole; i++) key[i] = clientKey[i] ?? 0;
    if (whole < V6_BYTES) key[whole] = (clientKey[whole] ?? 0) & this.#restMask;
    return xxh32(key, V6_BYTES, CLIENT_SEED);
  }
}
