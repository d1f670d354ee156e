/**
 * The backends of a Spec that have a name for an address. Names are asked for every ten seconds,
 * and most Specs have none among thousands of backends: each Spec is looked through once.
 */
import type { Address } from '../core/endpoint.js';
import type { PoolSpec, Spec } from '../core/spec.js';

export interface BackendWithName {
  readonly pool: string;
  readonly name: string;
  readonly address: Address;
}

const BY_POOLS = new WeakMap<readonly PoolSpec[], readonly BackendWithName[]>();

export function namedBackends({ pools }: Spec): readonly BackendWithName[] {
  let named = BY_POOLS.get(pools);
  if (named === undefined) {
    named = pools.flatMap(namedOf);
    BY_POOLS.set(pools, named);
  }
  return named;
}

export function namedAddresses(spec: Spec): Address[] {
  return namedBackends(spec).map(({ address }) => address);
}

function namedOf({ name: pool, backends }: PoolSpec): BackendWithName[] {
  return backends.flatMap(({ name, address }) =>
    address.kind === 'name' ? [{ pool, name, address }] : [],
  );
}
