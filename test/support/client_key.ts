/** Keys of clients for tests, which name them by text. */
import { ipBytes, unmapped } from '../../src/core/ip_bytes.js';

/** '': of a client without an address. */
export function keyOfHost(host: string): Uint8Array {
  if (host === '') return new Uint8Array(0);
  const bytes = ipBytes(host);
  if (bytes === null) throw new Error(`${host} is no address`);
  return unmapped(bytes);
}
