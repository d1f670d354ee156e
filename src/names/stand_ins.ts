/**
 * A name without an address takes nothing away: for each backend that is asked for and has none,
 * one that is not asked for any more goes on in its place until there is an address. Pure.
 */
import type { Endpoint } from '../core/endpoint.js';
import { backendKey } from '../core/identity.js';
import type { BackendSpec } from '../core/spec.js';

/** One that serves now, at its address. */
export interface Serving {
  /** See `backendKey`. */
  readonly key: string;
  readonly spec: BackendSpec;
}

/** A backend whose name has no address. */
export interface UnresolvedName<E extends Serving> {
  readonly spec: BackendSpec;
  /** Serves in its place; null: no backend had served there. */
  readonly standIn: E | null;
}

/** A pool as it is. */
export interface PoolBefore<E extends Serving> {
  /** Those that serve. */
  readonly kept: readonly E[];
  /** What it was asked to have last, in order. */
  readonly backends: readonly BackendSpec[];
  readonly unresolved: readonly UnresolvedName<E>[];
}

type Resolve = (backend: BackendSpec) => Endpoint | null;

/**
 * First those that stood in already, then those of the same name. The rest of those that leave have
 * been replaced, as far as backends with an address arrived; as many as are then still missing
 * stay, at best the one that had the same place among the backends.
 */
export function standInsFor<E extends Serving>(
  pool: PoolBefore<E>,
  wanted: readonly BackendSpec[],
  resolve: Resolve,
): readonly UnresolvedName<E>[] {
  const missing = wanted.filter((backend) => resolve(backend) === null);
  if (missing.length === 0) return [];
  const { served, arrivedAnew, arrivals } = servingOf(pool, wanted, resolve);
  const free = new Set(pool.kept.filter(({ key }) => !served.keys.has(key)));
  const standIns = new Map<BackendSpec, E>();
  const match = (which: (backend: BackendSpec) => E | undefined): void => {
    for (const backend of missing) {
      const entry = standIns.has(backend) ? undefined : which(backend);
      if (entry === undefined || !free.delete(entry)) continue;
      standIns.set(backend, entry);
    }
  };
  const before = new Map(pool.unresolved.map((one) => [one.spec.name, one.standIn]));
  match(({ name }) => before.get(name) ?? undefined);
  const byName = new Map<string, E[]>();
  for (const entry of free) {
    const same = byName.get(entry.spec.name);
    if (same === undefined) byName.set(entry.spec.name, [entry]);
    else same.push(entry);
  }
  const named = (name: string): E | undefined => byName.get(name)?.find((entry) => free.has(entry));
  match(({ name }) => named(name));
  // One whose name is served at another address now has been replaced.
  // Two may have one name: the other one stood in elsewhere, and is still to spare.
  for (const name of served.names) {
    const replaced = [...free].find(({ spec, key }) => spec.name === name && !served.keys.has(key));
    if (replaced !== undefined && arrivedAnew.has(name)) free.delete(replaced);
  }
  let spare = free.size - arrivals;
  const places = new Map(wanted.map((backend, place) => [backend, place]));
  const stay = (which: (backend: BackendSpec) => E | undefined): void =>
    match((backend) => {
      const entry = spare > 0 ? which(backend) : undefined;
      if (entry !== undefined) spare--;
      return entry;
    });
  stay((backend) => {
    const before = pool.backends[places.get(backend) ?? -1];
    return before === undefined ? undefined : named(before.name);
  });
  stay(() => free.values().next().value);
  return missing.map((backend) => ({ spec: backend, standIn: standIns.get(backend) ?? null }));
}

/**
 * Which ones have an address, and how many of them come under a name that the pool did not have.
 */
function servingOf(
  { kept }: PoolBefore<Serving>,
  wanted: readonly BackendSpec[],
  resolve: Resolve,
): {
  readonly served: { readonly keys: ReadonlySet<string>; readonly names: ReadonlySet<string> };
  /** Names that are served at an address where no backend was. */
  readonly arrivedAnew: ReadonlySet<string>;
  readonly arrivals: number;
} {
  const known = new Set(kept.map(({ spec }) => spec.name));
  const keys = new Set<string>();
  const names = new Set<string>();
  const present = new Set(kept.map(({ key }) => key));
  const arrivedAnew = new Set<string>();
  for (const backend of wanted) {
    const endpoint = resolve(backend);
    if (endpoint === null) continue;
    keys.add(backendKey(backend, endpoint));
    names.add(backend.name);
    if (!present.has(backendKey(backend, endpoint))) arrivedAnew.add(backend.name);
  }
  const arrivals = [...names].filter((name) => !known.has(name)).length;
  return { served: { keys, names }, arrivedAnew, arrivals };
}
