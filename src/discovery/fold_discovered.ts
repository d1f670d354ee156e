/**
 * What is desired of the backends: those of the file, and the members that sources have found. An
 * address that stands in the file has the attributes of the file. Pure.
 */
import type { DiscoverySpec } from '../core/discovery_spec.js';
import { formatAddress } from '../core/endpoint.js';
import type { BackendSpec, PoolSpec, Spec } from '../core/spec.js';
import type { Member } from './source.js';

/** The members of each source of a pool, in the order of the file. */
export type FoundMembers = (pool: string, source: DiscoverySpec) => readonly Member[];

/** `spec` itself where no pool has a source. */
export function withDiscovered(spec: Spec, found: FoundMembers): Spec {
  if (spec.pools.every(({ discovery }) => discovery.length === 0)) return spec;
  const byDatagrams = new Set(
    spec.listeners.flatMap(({ protocol, pool }) => (protocol === 'udp' ? [pool] : [])),
  );
  const pools = spec.pools.map((pool) => {
    const sources = pool.discovery.map((source): Discovered => {
      const members = found(pool.name, source);
      const { maxConnections } = source;
      if (!byDatagrams.has(pool.name)) return { members, maxConnections };
      // Datagrams are sent to addresses only.
      const reached = members.filter(({ address }) => address.kind !== 'unix');
      return { members: reached, maxConnections };
    });
    return withMembers(pool, sources);
  });
  return { ...spec, pools };
}

/** What one source has found; `maxConnections` is for members of which it names none. */
export interface Discovered {
  readonly members: readonly Member[];
  readonly maxConnections: number;
}

/** `pool` with what its sources have found, in their order. */
export function withMembers(pool: PoolSpec, sources: readonly Discovered[]): PoolSpec {
  if (sources.length === 0) return pool;
  const taken = new Set(pool.backends.map(({ address }) => formatAddress(address)));
  const names = new Set(pool.backends.map(({ name }) => name));
  const backends = [...pool.backends];
  for (const source of sources) {
    for (const member of source.members) {
      const address = formatAddress(member.address);
      if (taken.has(address)) continue;
      const backend = backendOf(member, names, source.maxConnections);
      taken.add(address);
      names.add(backend.name);
      backends.push(backend);
    }
  }
  return { ...pool, backends };
}

/** A name that another member has is no name: the address is one. */
function backendOf(
  { name, address, weight, maxConnections, backup }: Member,
  names: ReadonlySet<string>,
  poolMaxConnections: number,
): BackendSpec {
  const isFree = name !== null && !names.has(name);
  return {
    name: isFree ? name : formatAddress(address),
    address,
    admin: 'ready',
    weight,
    maxConnections: maxConnections ?? poolMaxConnections,
    backup,
  };
}
