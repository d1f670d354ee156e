/**
 * What this daemon has: listeners, pools and backends with their rows, those of the newest file and
 * those that left it but still carry sessions. A new Spec changes it; a Plan is drawn from it.
 * Pure bookkeeping: it opens nothing and knows no time.
 */
import type { BackendId, ListenerId, PoolId, SeriesId } from '../core/brand.js';
import { type Endpoint, formatAddress } from '../core/endpoint.js';
import { MAX_BACKENDS, MAX_LISTENERS, MAX_POOLS, MAX_SERIES } from '../core/limits.js';
import type { BackendSpec, ListenerSpec, PoolSpec, Spec } from '../core/spec.js';
import { Rows } from './registry.js';

/** Kept: in the newest file. Leaving: no longer in it, but sessions may still count on its row. */
export type Tenure = 'kept' | 'leaving';

export interface ListenerEntry {
  readonly key: string;
  readonly id: ListenerId;
  readonly series: SeriesId;
  spec: ListenerSpec;
  tenure: Tenure;
}

export interface PoolEntry {
  readonly key: string;
  readonly id: PoolId;
  spec: PoolSpec;
  tenure: Tenure;
  readonly backends: Map<string, BackendEntry>;
  /** Backends of the file whose names have no address now. */
  unresolved: readonly BackendSpec[];
}

export interface BackendEntry {
  readonly key: string;
  readonly id: BackendId;
  readonly pool: PoolEntry;
  readonly endpoint: Endpoint;
  spec: BackendSpec;
  tenure: Tenure;
}

/** What a Spec has changed; control acts on it. */
export interface InventoryChange {
  readonly arrived: readonly BackendEntry[];
  readonly left: readonly BackendEntry[];
  /** In the file again before its sessions had ended. */
  readonly returned: readonly BackendEntry[];
}

/** What a row's new owner must find: everything at zero. */
export interface RowReset {
  readonly backend: (id: BackendId) => void;
  readonly listener: (id: ListenerId) => void;
  readonly series: (id: SeriesId) => void;
}

export class Inventory {
  readonly listeners = new Map<string, ListenerEntry>();
  readonly pools = new Map<string, PoolEntry>();
  readonly #listenerRows = new Rows<ListenerId>(MAX_LISTENERS);
  readonly #poolRows = new Rows<PoolId>(MAX_POOLS);
  readonly #backendRows = new Rows<BackendId>(MAX_BACKENDS);
  readonly #seriesRows = new Rows<SeriesId>(MAX_SERIES);
  readonly #reset: RowReset;

  constructor(reset: RowReset) {
    this.#reset = reset;
  }

  /** `resolve` gives the address of a backend, or null while its name has none. */
  apply(spec: Spec, resolve: (backend: BackendSpec) => Endpoint | null): InventoryChange {
    const change = { arrived: [], left: [], returned: [] } as {
      [Kind in keyof InventoryChange]: BackendEntry[];
    };
    const pools = new Set(spec.pools.map((pool) => pool.name));
    for (const pool of spec.pools) this.#applyPool(pool, resolve, change);
    for (const entry of this.pools.values()) {
      if (pools.has(entry.key)) continue;
      entry.tenure = 'leaving';
      entry.unresolved = [];
      for (const backend of entry.backends.values()) leave(backend, change);
    }
    const listeners = new Set(spec.listeners.map(listenerKey));
    for (const listener of spec.listeners) this.#applyListener(listener);
    for (const entry of this.listeners.values()) {
      if (!listeners.has(entry.key)) entry.tenure = 'leaving';
    }
    return change;
  }

  /** Counters of `backend` behind each listener that leads, or led, sessions to it. */
  seriesOf(backend: BackendEntry): { listener: ListenerId; series: SeriesId }[] {
    const rows: { listener: ListenerId; series: SeriesId }[] = [];
    for (const listener of this.listeners.values()) {
      const key = seriesKey(listener, backend);
      const leads = listener.tenure === 'kept' && listener.spec.pool === backend.pool.key;
      const series = leads ? this.#takeSeries(key) : this.#seriesRows.get(key);
      if (series !== undefined) rows.push({ listener: listener.id, series });
    }
    return rows;
  }

  *backends(): IterableIterator<BackendEntry> {
    for (const pool of this.pools.values()) yield* pool.backends.values();
  }

  /** Forgets a backend that left, once no session counts on it and no worker's plan names it. */
  releaseBackend(entry: BackendEntry): void {
    entry.pool.backends.delete(entry.key);
    this.#backendRows.release(backendRowKey(entry.pool, entry.key));
    for (const listener of this.listeners.values()) {
      this.#seriesRows.release(seriesKey(listener, entry));
    }
  }

  /** Forgets the pools that left and have no backend, once no worker's plan names them. */
  releasePools(): void {
    for (const entry of this.pools.values()) {
      if (entry.tenure === 'kept' || entry.backends.size > 0) continue;
      this.pools.delete(entry.key);
      this.#poolRows.release(entry.key);
    }
  }

  releaseListener(entry: ListenerEntry): void {
    this.listeners.delete(entry.key);
    this.#listenerRows.release(entry.key);
    this.#seriesRows.release(entry.key);
    for (const backend of this.backends()) this.#seriesRows.release(seriesKey(entry, backend));
  }

  #applyPool(
    spec: PoolSpec,
    resolve: (backend: BackendSpec) => Endpoint | null,
    change: { [Kind in keyof InventoryChange]: BackendEntry[] },
  ): void {
    const pool: PoolEntry = this.pools.get(spec.name) ?? {
      key: spec.name,
      id: this.#poolRows.take(spec.name),
      spec,
      tenure: 'kept',
      backends: new Map(),
      unresolved: [],
    };
    this.pools.set(pool.key, pool);
    pool.spec = spec;
    pool.tenure = 'kept';
    const present = new Set<string>();
    const unresolved: BackendSpec[] = [];
    for (const backend of spec.backends) {
      const endpoint = resolve(backend);
      if (endpoint === null) unresolved.push(backend);
      else present.add(this.#applyBackend(pool, backend, endpoint, change).key);
    }
    pool.unresolved = unresolved;
    for (const backend of pool.backends.values()) {
      if (!present.has(backend.key)) leave(backend, change);
    }
  }

  #applyBackend(
    pool: PoolEntry,
    spec: BackendSpec,
    endpoint: Endpoint,
    change: { [Kind in keyof InventoryChange]: BackendEntry[] },
  ): BackendEntry {
    const key = `${spec.name}@${formatAddress(endpoint)}`;
    const known = pool.backends.get(key);
    if (known !== undefined) {
      if (known.tenure === 'leaving') change.returned.push(known);
      known.spec = spec;
      known.tenure = 'kept';
      return known;
    }
    const id = this.#backendRows.take(backendRowKey(pool, key), this.#reset.backend);
    const entry: BackendEntry = { key, id, pool, endpoint, spec, tenure: 'kept' };
    pool.backends.set(key, entry);
    change.arrived.push(entry);
    return entry;
  }

  #applyListener(spec: ListenerSpec): void {
    const key = listenerKey(spec);
    const known = this.listeners.get(key);
    if (known !== undefined) {
      known.spec = spec;
      known.tenure = 'kept';
      return;
    }
    const id = this.#listenerRows.take(key, this.#reset.listener);
    const series = this.#takeSeries(key);
    this.listeners.set(key, { key, id, series, spec, tenure: 'kept' });
  }

  #takeSeries(key: string): SeriesId {
    return this.#seriesRows.take(key, this.#reset.series);
  }
}

function leave(
  backend: BackendEntry,
  change: { [Kind in keyof InventoryChange]: BackendEntry[] },
): void {
  if (backend.tenure === 'leaving') return;
  backend.tenure = 'leaving';
  change.left.push(backend);
}

/** A listener whose protocol changes is another listener. */
function listenerKey(spec: ListenerSpec): string {
  return `${spec.protocol}/${spec.name}`;
}

function backendRowKey(pool: PoolEntry, key: string): string {
  return `${pool.key}/${key}`;
}

function seriesKey(listener: ListenerEntry, backend: BackendEntry): string {
  return `${listener.key}>${backend.pool.key}/${backend.key}`;
}
