/** What stands in where names have no address (names/stand_ins.ts), by pool of a file. Pure. */
import { poolsOf } from '../core/routes.js';
import type { Spec } from '../core/spec.js';
import { type PoolBefore, standInsFor, type UnresolvedName } from '../names/stand_ins.js';
import type { BackendEntry, PoolEntry } from './inventory.js';
import { backendRowKey, type RowTarget } from './row_demand.js';

/** A backend of the file whose name has no address. */
export type Unresolved = UnresolvedName<BackendEntry>;

/** One whose old address serves under its name is described as that. */
export function isDescribed({ spec, standIn }: Unresolved): boolean {
  return standIn?.spec.name !== spec.name;
}

/** Of every pool of a target that has some, by its name. */
export type UnresolvedByPool = ReadonlyMap<string, readonly Unresolved[]>;

export function unresolvedOf(
  { spec, resolve }: RowTarget,
  pools: ReadonlyMap<string, PoolEntry>,
): UnresolvedByPool {
  const found = new Map<string, readonly Unresolved[]>();
  for (const pool of spec.pools) {
    const entry = pools.get(pool.name);
    const unresolved = standInsFor(before(entry), pool.backends, resolve);
    if (unresolved.length > 0) found.set(pool.name, unresolved);
  }
  return found;
}

function before(pool: PoolEntry | undefined): PoolBefore<BackendEntry> {
  if (pool === undefined) return { kept: [], backends: [], unresolved: [] };
  const kept = [...pool.backends.values()].filter(({ tenure }) => tenure === 'kept');
  return { kept, backends: pool.spec.backends, unresolved: pool.unresolved };
}

/** The rows of stand-ins, by pool. */
export function standInRows(unresolved: UnresolvedByPool): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...unresolved].map(([pool, all]) => [
      pool,
      all.flatMap(({ standIn }) => (standIn === null ? [] : [backendRowKey(pool, standIn.key)])),
    ]),
  );
}

/** By stand-in, of the pools that were asked for. */
const BY_STAND_IN = new WeakMap<readonly Unresolved[], ReadonlyMap<BackendEntry, Unresolved>>();

/** What stands in for which backend of `pool`, for pages and logs. */
export function standInFor({ unresolved }: PoolEntry, entry: BackendEntry): Unresolved | undefined {
  if (unresolved.length === 0) return undefined;
  let known = BY_STAND_IN.get(unresolved);
  if (known === undefined) {
    known = new Map(
      unresolved.flatMap((one) => (one.standIn === null ? [] : [[one.standIn, one] as const])),
    );
    BY_STAND_IN.set(unresolved, known);
  }
  return known.get(entry);
}

/**
 * Why `target` would leave clients without a backend although they have one now: a listener that
 * serves would lead to a pool in which no name has an address.
 */
export function strandedBy(
  target: RowTarget,
  unresolved: UnresolvedByPool,
  serves: (listener: Spec['listeners'][number]) => boolean,
): readonly string[] {
  const { spec, resolve } = target;
  const pools = new Map(spec.pools.map((pool) => [pool.name, pool]));
  return spec.listeners.flatMap((listener) =>
    poolsOf(listener).flatMap((name) => {
      const missing = unresolved.get(name) ?? [];
      if (missing.length === 0 || missing.some(({ standIn }) => standIn !== null)) return [];
      const pool = pools.get(name);
      const hasAddress = pool?.backends.some((backend) => resolve(backend) !== null) ?? false;
      if (hasAddress || !serves(listener)) return [];
      const names = missing.map(({ spec: { name: backend } }) => backend).join(', ');
      return [
        `listener ${listener.name} would lead to pool ${name}, in which no name has an ` +
          `address now (${names}); see that they resolve, then reload again`,
      ];
    }),
  );
}
