/** Other states, weights and caps for the backends that there are: none comes, and none goes. */
import { sameValue } from '../core/same_value.js';
import type { BackendSpec, PoolSpec } from '../core/spec.js';
import type { BackendEntry, PoolEntry } from './inventory.js';

/** A backend with other states, weights or caps. */
export interface Restated {
  readonly entry: BackendEntry;
  readonly before: BackendSpec;
}

/**
 * Takes them for the `pools` that there are: the rest of `wanted` is what is. Answers whose they
 * are, and what was before.
 */
export function restate(
  pools: ReadonlyMap<string, PoolEntry>,
  wanted: readonly PoolSpec[],
): readonly Restated[] {
  return wanted.flatMap((spec) => {
    const pool = pools.get(spec.name);
    return pool === undefined || pool.spec === spec ? [] : restatePool(pool, spec);
  });
}

function restatePool(pool: PoolEntry, wanted: PoolSpec): Restated[] {
  const changed: Restated[] = [];
  const byName = newIn(wanted.backends, pool.spec.backends);
  pool.spec = wanted;
  if (byName.size === 0) return changed;
  for (const entry of pool.backends.values()) {
    const backend = byName.get(entry.spec.name);
    if (backend === undefined || entry.tenure === 'leaving') continue;
    const { address } = entry.spec;
    if (sameValue({ ...backend, address }, entry.spec)) continue;
    changed.push({ entry, before: entry.spec });
    // One that stands in keeps the address that it has.
    entry.spec = { ...backend, address };
  }
  pool.unresolved = pool.unresolved.map((one) => ({
    ...one,
    spec: byName.get(one.spec.name) ?? one.spec,
  }));
  return changed;
}

/** Of thousands an order is about a few; the others are the same objects at the same places. */
function newIn(
  backends: readonly BackendSpec[],
  before: readonly BackendSpec[],
): ReadonlyMap<string, BackendSpec> {
  const differing = backends.filter((backend, index) => backend !== before[index]);
  return new Map(differing.map((backend) => [backend.name, backend]));
}
