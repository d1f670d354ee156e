/** The addresses of this machine's interfaces, as far as they can be listed one by one. */
import { networkInterfaces } from 'node:os';

export interface LocalAddress {
  /** Without a zone. */
  readonly host: string;
  /** As bind wants it: a link-local IPv6 address carries its interface (RFC 4007, 11). */
  readonly bindHost: string;
}

export function localAddresses(family: 4 | 6): LocalAddress[] {
  const wanted = family === 4 ? 'IPv4' : 'IPv6';
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? [])
      .filter((address) => address.family === wanted)
      .map(({ address }) => ({ host: address, bindHost: withZone(address, name) })),
  );
}

function withZone(host: string, interfaceName: string): string {
  return /^fe[89ab]/i.test(host) ? `${host}%${interfaceName}` : host;
}
