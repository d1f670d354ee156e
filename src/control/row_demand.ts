/** How many rows of shared memory a Spec wants beside those that are in use. Pure. */
import type { Endpoint } from '../core/endpoint.js';
import { backendKey, listenerKey } from '../core/identity.js';
import type { BackendSpec, Spec } from '../core/spec.js';
import type { Rows } from './registry.js';

/** A Spec together with the addresses of its backends. */
export interface RowTarget {
  readonly spec: Spec;
  /** The address of a backend, or null while its name has none. */
  readonly resolve: (backend: BackendSpec) => Endpoint | null;
}

/** The keys of every row that a target wants. */
export interface WantedRows {
  readonly listeners: ReadonlySet<string>;
  readonly pools: ReadonlySet<string>;
  readonly backends: ReadonlySet<string>;
}

export interface Shortage {
  readonly rows: keyof WantedRows;
  /** Rows that the target wants. */
  readonly wanted: number;
  /** Rows in use by what the target does not have. */
  readonly leaving: number;
  readonly limit: number;
  readonly missing: number;
}

export function backendRowKey(pool: string, backend: string): string {
  return `${pool}/${backend}`;
}

/** `further`: rows of each pool that are kept beside those of its file. */
export function wantedRows(
  { spec, resolve }: RowTarget,
  further: ReadonlyMap<string, readonly string[]>,
): WantedRows {
  const backends = new Set<string>();
  for (const pool of spec.pools) {
    for (const backend of pool.backends) {
      const endpoint = resolve(backend);
      if (endpoint !== null) backends.add(backendRowKey(pool.name, backendKey(backend, endpoint)));
    }
    for (const row of further.get(pool.name) ?? []) backends.add(row);
  }
  return {
    listeners: new Set(spec.listeners.map(listenerKey)),
    pools: new Set(spec.pools.map(({ name }) => name)),
    backends,
  };
}

/** The rows that are missing, or none. `free`: keys of rows that the change itself gives back. */
export function shortage(
  kind: keyof WantedRows,
  wanted: WantedRows,
  rows: Pick<Rows<number>, 'keys' | 'limit'>,
  free: ReadonlySet<string>,
): readonly Shortage[] {
  let leaving = 0;
  for (const key of rows.keys()) if (!wanted[kind].has(key) && !free.has(key)) leaving++;
  const missing = wanted[kind].size + leaving - rows.limit;
  if (missing <= 0) return [];
  return [{ rows: kind, wanted: wanted[kind].size, leaving, limit: rows.limit, missing }];
}
