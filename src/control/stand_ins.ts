/**
 * A name without an address takes nothing away: for each backend of the file that has none, one
 * that the file leaves out goes on in its place until there is an address. Pure.
 */
import { backendKey } from '../core/identity.js';
import type { BackendSpec, PoolSpec, Spec } from '../core/spec.js';
import type { BackendEntry, PoolEntry } from './inventory.js';
import { backendRowKey, type Target } from './row_demand.js';

/** A backend of the file whose name has no address. */
export interface Unresolved {
  readonly spec: BackendSpec;
  /** Serves in its place; null: nobody had served there. */
  readonly standIn: BackendEntry | null;
}

/** Of every pool of a target that has some, by its name. */
export type UnresolvedByPool = ReadonlyMap<string, readonly Unresolved[]>;

export function unresolvedOf(
  { spec, resolve }: Target,
  pools: ReadonlyMap<string, PoolEntry>,
): UnresolvedByPool {
  const found = new Map<string, readonly Unresolved[]>();
  for (const pool of spec.pools) {
    const missing = pool.backends.filter((backend) => resolve(backend) === null);
    if (missing.length === 0) continue;
    const entry = pools.get(pool.name);
    found.set(
      pool.name,
      entry === undefined
        ? missing.map((backend) => ({ spec: backend, standIn: null }))
        : assign(entry, pool, missing, resolve),
    );
  }
  return found;
}

/** The rows of those who stand in, by pool. */
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

/** Who stands in for whom of `pool`, for pages and logs. */
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
 * First those that stood in already, then those of the same name. The rest of those who leave have
 * been replaced, as far as backends with an address arrived; as many as are then still missing
 * stay, at best the one that had the same place in the file.
 */
function assign(
  pool: PoolEntry,
  wanted: PoolSpec,
  missing: readonly BackendSpec[],
  resolve: Target['resolve'],
): readonly Unresolved[] {
  const { served, arrivedAnew, arrivals } = whoServes(pool, wanted, resolve);
  const free = new Set(
    [...pool.backends.values()].filter(
      ({ tenure, key }) => tenure === 'kept' && !served.keys.has(key),
    ),
  );
  const standIns = new Map<BackendSpec, BackendEntry>();
  const match = (which: (backend: BackendSpec) => BackendEntry | undefined): void => {
    for (const backend of missing) {
      const entry = standIns.has(backend) ? undefined : which(backend);
      if (entry === undefined || !free.delete(entry)) continue;
      standIns.set(backend, entry);
    }
  };
  const before = new Map(pool.unresolved.map((one) => [one.spec.name, one.standIn]));
  match(({ name }) => before.get(name) ?? undefined);
  const byName = new Map<string, BackendEntry[]>();
  for (const entry of free) {
    const same = byName.get(entry.spec.name);
    if (same === undefined) byName.set(entry.spec.name, [entry]);
    else same.push(entry);
  }
  const named = (name: string): BackendEntry | undefined =>
    byName.get(name)?.find((entry) => free.has(entry));
  match(({ name }) => named(name));
  // One whose name is served at another address now has been replaced.
  // Two may have one name: the other one stood in elsewhere, and is still to spare.
  for (const name of served.names) {
    const replaced = [...free].find(({ spec, key }) => spec.name === name && !served.keys.has(key));
    if (replaced !== undefined && arrivedAnew.has(name)) free.delete(replaced);
  }
  let spare = free.size - arrivals;
  const places = new Map(wanted.backends.map((backend, place) => [backend, place]));
  const stay = (which: (backend: BackendSpec) => BackendEntry | undefined): void =>
    match((backend) => {
      const entry = spare > 0 ? which(backend) : undefined;
      if (entry !== undefined) spare--;
      return entry;
    });
  stay((backend) => {
    const before = pool.spec.backends[places.get(backend) ?? -1];
    return before === undefined ? undefined : named(before.name);
  });
  stay(() => free.values().next().value);
  return missing.map((backend) => ({ spec: backend, standIn: standIns.get(backend) ?? null }));
}

/** Who has an address, and how many of them come under a name that the pool did not have. */
function whoServes(
  pool: PoolEntry,
  wanted: PoolSpec,
  resolve: Target['resolve'],
): {
  readonly served: { readonly keys: ReadonlySet<string>; readonly names: ReadonlySet<string> };
  /** Names that are served at an address where nobody was. */
  readonly arrivedAnew: ReadonlySet<string>;
  readonly arrivals: number;
} {
  const kept = [...pool.backends.values()].filter(({ tenure }) => tenure === 'kept');
  const known = new Set(kept.map(({ spec }) => spec.name));
  const keys = new Set<string>();
  const names = new Set<string>();
  const present = new Set(kept.map(({ key }) => key));
  const arrivedAnew = new Set<string>();
  for (const backend of wanted.backends) {
    const endpoint = resolve(backend);
    if (endpoint === null) continue;
    keys.add(backendKey(backend, endpoint));
    names.add(backend.name);
    if (!present.has(backendKey(backend, endpoint))) arrivedAnew.add(backend.name);
  }
  const arrivals = [...names].filter((name) => !known.has(name)).length;
  return { served: { keys, names }, arrivedAnew, arrivals };
}

/**
 * Why `target` would leave clients without anybody although they have somebody now: a listener that
 * serves would lead to a pool in which no name has an address.
 */
export function strandedBy(
  target: Target,
  unresolved: UnresolvedByPool,
  serves: (listener: Spec['listeners'][number]) => boolean,
): readonly string[] {
  const { spec, resolve } = target;
  const pools = new Map(spec.pools.map((pool) => [pool.name, pool]));
  return spec.listeners.flatMap((listener) => {
    const missing = unresolved.get(listener.pool) ?? [];
    if (missing.length === 0 || missing.some(({ standIn }) => standIn !== null)) return [];
    const pool = pools.get(listener.pool);
    if (pool?.backends.some((backend) => resolve(backend) !== null) || !serves(listener)) return [];
    const names = missing.map(({ spec: { name } }) => name).join(', ');
    return [
      `listener ${listener.name} would lead to pool ${listener.pool}, in which no name has an ` +
        `address now (${names}); see that they resolve, then reload again`,
    ];
  });
}
