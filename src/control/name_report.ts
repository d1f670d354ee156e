/** Says which backends have names that lead nowhere, and what serves in their place. */
import { type Endpoint, formatAddress } from '../core/endpoint.js';
import type { Resolver } from '../names/resolver.js';
import type { Log } from '../observe/log.js';
import type { BackendEntry, Inventory, PoolEntry } from './inventory.js';
import type { BackendWithName } from './named_backends.js';
import { standInFor, type Unresolved } from './stand_ins.js';

/** `named`: what the inventory has; to be called after each time that names were asked for. */
export function tellUnresolved(
  log: Log,
  named: readonly BackendWithName[],
  inventory: Inventory,
  resolver: Resolver,
): void {
  const byPool = new Map<string, ReadonlyMap<string, Unresolved>>();
  for (const { pool, name, address } of named) {
    const problem = resolver.problem(address);
    if (problem === null) continue;
    const unresolved = byPool.get(pool) ?? unresolvedByName(inventory.pools.get(pool));
    byPool.set(pool, unresolved);
    const rest = consequence(unresolved.get(name), resolver.endpoint(address));
    const detail = `${problem}; ${rest}`;
    log.event('resolve-failed', { pool, backend: name, address: formatAddress(address), detail });
  }
}

function unresolvedByName(pool: PoolEntry | undefined): ReadonlyMap<string, Unresolved> {
  return new Map(pool?.unresolved.map((one) => [one.spec.name, one]));
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
