/** Says which backends have names that lead nowhere, and what serves in their place. */
import { type Endpoint, formatAddress } from '../core/endpoint.js';
import type { Resolver } from '../names/resolver.js';
import type { Log } from '../observe/log.js';
import type { BackendEntry, Inventory } from './inventory.js';
import { standInFor, type Unresolved } from './stand_ins.js';

/** Looks at what the inventory has; to be called after each time that names were asked for. */
export function tellUnresolved(log: Log, inventory: Inventory, resolver: Resolver): void {
  for (const pool of inventory.pools.values()) {
    if (pool.tenure === 'leaving') continue;
    const byName = new Map(pool.unresolved.map((one) => [one.spec.name, one]));
    for (const { name, address } of pool.spec.backends) {
      const problem = resolver.problem(address);
      if (problem === null) continue;
      const rest = consequence(byName.get(name), resolver.endpoint(address));
      const detail = `${problem}; ${rest}`;
      const told = { pool: pool.key, backend: name, address: formatAddress(address), detail };
      log.event('resolve-failed', told);
    }
  }
}

function consequence(unresolved: Unresolved | undefined, last: Endpoint | null): string {
  if (unresolved !== undefined) return inItsPlace(unresolved);
  if (last === null) return NO_STAND_IN;
  return `the last address, ${formatAddress(last)}, stays in use`;
}

const NO_STAND_IN = 'it has had no address yet: its backend gets no sessions';

/** What becomes of a backend without an address. */
export function inItsPlace({ spec, standIn }: Unresolved): string {
  if (standIn === null) return NO_STAND_IN;
  const address = formatAddress(standIn.endpoint);
  const name = standIn.spec.name === spec.name ? 'it' : `backend ${standIn.spec.name}`;
  return name === 'it'
    ? `it stays at ${address} until its name has an address`
    : `${name} (${address}) serves in its place until it has one`;
}

/** Why an entry that the file leaves out is still there; '' where it is in the file. */
export function whyItStays(entry: BackendEntry): string {
  const place = standInFor(entry.pool, entry);
  if (place === undefined) return '';
  const name = formatAddress(place.spec.address);
  return place.spec.name === entry.spec.name
    ? `its new address, ${name}, cannot be resolved: it stays at the old one`
    : `no longer in the file; serves until ${name} can be resolved`;
}
