/** A backend that is a listener of the same daemon: its sessions would go round for ever. */
import { type Address, formatAddress } from '../../core/endpoint.js';
import type { Check, Finding } from './check.js';

export const warnOfLoops: Check = ({ config }) => {
  const owners = new Map<string, string>();
  const routes = new Map<string, Set<'tcp' | 'udp'>>();
  for (const [name, { protocol, bind = [], pool }] of Object.entries(config.listeners)) {
    for (const endpoint of bind) owners.set(`${protocol} ${formatAddress(endpoint)}`, name);
    if (pool !== undefined) routes.set(pool, (routes.get(pool) ?? new Set()).add(protocol));
  }
  return [...routes].flatMap(([pool, protocols]) =>
    (config.pools[pool]?.backends ?? []).flatMap(({ address }, index): readonly Finding[] => {
      if (address === undefined) return [];
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

/**
 * The binds of this machine that a connection to `address` would surely meet. A wildcard answers
 * at every address of the machine, of which the file shows only those of the loopback interface.
 */
function bindsThatAnswer(address: Address): readonly string[] {
  const own = formatAddress(address);
  if (address.kind === 'unix') return [own];
  const { host, port } = address;
  if (host.startsWith('127.')) return [own, `0.0.0.0:${port}`];
  if (host === '::1') return [own, `[::]:${port}`];
  if (host === 'localhost') return [`127.0.0.1:${port}`, `[::1]:${port}`, `0.0.0.0:${port}`];
  return [own];
}
