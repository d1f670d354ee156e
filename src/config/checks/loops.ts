/** A backend that is a listener of the same daemon: its sessions would go round for ever. */
import { type Address, formatAddress, ipEndpoint, WILDCARD_HOSTS } from '../../core/endpoint.js';
import type { Check, Finding } from './check.js';
import { leadsTo } from './leads_to.js';

export const warnOfLoops: Check = ({ config }) => {
  const owners = new Map<string, string>();
  const routes = new Map<string, Set<'tcp' | 'udp'>>();
  // Most backends are at a port where no listener is, and need no further look.
  const ports = new Set<number | null>();
  for (const [name, listener] of Object.entries(config.listeners)) {
    const { protocol, bind = [] } = listener;
    for (const endpoint of bind) {
      owners.set(`${protocol} ${formatAddress(endpoint)}`, name);
      ports.add(portOf(endpoint));
    }
    for (const pool of leadsTo(listener)) {
      routes.set(pool, (routes.get(pool) ?? new Set()).add(protocol));
    }
  }
  return [...routes].flatMap(([pool, protocols]) =>
    (config.pools[pool]?.backends ?? []).flatMap(({ address }, index): readonly Finding[] => {
      if (address === undefined || !ports.has(portOf(address))) return [];
      const keys = bindsThatAnswer(address).flatMap((bind) =>
        [...protocols].map((protocol) => `${protocol} ${bind}`),
      );
      const listener = keys.map((key) => owners.get(key)).find((owner) => owner !== undefined);
      if (listener === undefined) return [];
      const path = ['pools', pool, 'backends', index, 'address'];
      const problem = `this is listener ${listener} itself`;
      return [{ code: 'unlikely', path, problem, expected: 'the address of a server' }];
    }),
  );
};

/** null: it has none. */
function portOf(address: Address): number | null {
  return address.kind === 'unix' ? null : address.port;
}

/**
 * The binds of this machine that a connection to `address` would surely meet. A wildcard answers
 * at every address of the machine, of which the file shows only those of the loopback interface.
 */
function bindsThatAnswer(address: Address): readonly string[] {
  const own = formatAddress(address);
  if (address.kind === 'unix') return [own];
  const { host, port } = address;
  const ip = (family: 4 | 6, at: string): string => formatAddress(ipEndpoint(family, at, port));
  const loopback = [ip(4, '127.0.0.1'), ip(6, '::1')];
  if (host.startsWith('127.')) return [own, ip(4, WILDCARD_HOSTS[4])];
  if (host === '::1') return [own, ip(6, WILDCARD_HOSTS[6])];
  if (host === 'localhost') return [...loopback, ip(4, WILDCARD_HOSTS[4])];
  return [own];
}
