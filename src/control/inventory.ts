/**
 * What this daemon has: listeners, pools and backends with their rows, those of the newest file and
 * those that left it but still carry sessions. A new Spec changes it; a Plan is drawn from it. Pure
 * bookkeeping: it opens nothing and reads no clock.
 */
import type { BackendId, ListenerId, PoolId, SeriesId } from '../core/brand.js';
import type { Endpoint } from '../core/endpoint.js';
import { backendKey, listenerKey } from '../core/identity.js';
import { MAX_BACKENDS, MAX_LISTENERS, MAX_POOLS } from '../core/limits.js';
import { poolsOf } from '../core/routes.js';
import type { BackendSpec, ListenerSpec, PoolSpec, Spec } from '../core/spec.js';
import type { ClientTable } from '../pool/client_table.js';
import type { Ledger } from '../pool/ledger.js';
import { Rows } from './registry.js';
import {
  backendRowKey,
  type RowTarget,
  type Shortage,
  shortage,
  type WantedRows,
  wantedRows,
} from './row_demand.js';
import { standInRows, type Unresolved, type UnresolvedByPool, unresolvedOf } from './stand_ins.js';
import type { Tallies } from './tallies.js';

/** Kept: in the newest file. Leaving: no longer in it, but sessions may still count on its row. */
export type Tenure = 'kept' | 'leaving';

export interface ListenerEntry {
  readonly key: string;
  readonly id: ListenerId;
  /**
   * Counters of sessions that reach no backend; where there are routes, of those without a pool
   * yet.
   */
  series: SeriesId;
  /** By pool, where there are routes: counters of sessions that reach no backend of it. */
  unreached: ReadonlyMap<string, SeriesId>;
  spec: ListenerSpec;
  tenure: Tenure;
}

export interface PoolEntry {
  readonly key: string;
  readonly id: PoolId;
  spec: PoolSpec;
  tenure: Tenure;
  readonly backends: Map<string, BackendEntry>;
  /** Backends of the file whose names have no address now, and what stands in for them. */
  unresolved: readonly Unresolved[];
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
  readonly departed: readonly BackendEntry[];
  /** In the file again before its sessions had ended. */
  readonly returned: readonly BackendEntry[];
  /** Had yielded: no session counts on them, and their rows may be another's already. */
  readonly gone: readonly BackendEntry[];
}

type Changing = { [Kind in keyof InventoryChange]: BackendEntry[] };

/** What a row's new owner must find: everything at zero. */
export interface RowReset {
  readonly backend: (id: BackendId) => void;
  readonly listener: (id: ListenerId) => void;
}

export function resetOf({
  ledger,
  clients,
}: {
  readonly ledger: Ledger;
  readonly clients: ClientTable;
}): RowReset {
  return {
    backend: (id) => ledger.resetBackend(id),
    listener: (id) => {
      ledger.resetListener(id);
      clients.forgetListener(id);
    },
  };
}

export class Inventory {
  readonly listeners = new Map<string, ListenerEntry>();
  readonly pools = new Map<string, PoolEntry>();
  /** Backends that leave with the next change; until then they get no session. */
  readonly yielding = new Set<BackendEntry>();
  readonly #listenerRows = new Rows<ListenerId>(MAX_LISTENERS);
  readonly #poolRows = new Rows<PoolId>(MAX_POOLS);
  readonly #backendRows = new Rows<BackendId>(MAX_BACKENDS);
  readonly tallies: Tallies;
  readonly #reset: RowReset;

  constructor(reset: RowReset, tallies: Tallies) {
    this.#reset = reset;
    this.tallies = tallies;
  }

  /** The rows that `target` lacks; none: `apply` may be called. */
  shortages(target: RowTarget): readonly Shortage[] {
    const wanted = this.#wanted(target);
    const free = new Set<string>();
    for (const entry of this.yielding) free.add(backendRowKey(entry.pool.key, entry.key));
    const none = new Set<string>();
    return [
      ...shortage('listeners', wanted, this.#listenerRows, none),
      ...shortage('pools', wanted, this.#poolRows, none),
      ...shortage('backends', wanted, this.#backendRows, free),
    ];
  }

  /** Backends that left, and those that `target` does not have. */
  leavers(target: RowTarget): readonly BackendEntry[] {
    const { backends } = this.#wanted(target);
    return [...this.backends()].filter(
      (entry) => !backends.has(backendRowKey(entry.pool.key, entry.key)),
    );
  }

  /** Takes the target as what is; `shortages` has said before that there is room. */
  apply(spec: Spec, resolve: RowTarget['resolve']): InventoryChange {
    const change: Changing = { arrived: [], departed: [], returned: [], gone: [] };
    const unresolved = this.unresolved({ spec, resolve });
    for (const entry of this.yielding) {
      this.releaseBackend(entry);
      change.gone.push(entry);
    }
    this.yielding.clear();
    const pools = new Set(spec.pools.map((pool) => pool.name));
    for (const pool of spec.pools) {
      this.#applyPool(pool, resolve, unresolved.get(pool.name) ?? [], change);
    }
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

  /** Backends of `target` whose names have no address, and what would stand in for them. */
  unresolved(target: RowTarget): UnresolvedByPool {
    return unresolvedOf(target, this.pools);
  }

  #wanted(target: RowTarget): WantedRows {
    return wantedRows(target, standInRows(this.unresolved(target)));
  }

  *backends(): IterableIterator<BackendEntry> {
    for (const pool of this.pools.values()) yield* pool.backends.values();
  }

  /** Forgets a backend that left, once no session counts on it and no worker's plan names it. */
  releaseBackend(entry: BackendEntry): void {
    entry.pool.backends.delete(entry.key);
    this.#backendRows.release(backendRowKey(entry.pool.key, entry.key));
    this.tallies.backendGone(entry.id);
  }

  /** Forgets the pools that left and have no backend, once no worker's plan names them. */
  releasePools(): void {
    for (const entry of this.pools.values()) {
      if (entry.tenure === 'kept' || entry.backends.size > 0) continue;
      this.pools.delete(entry.key);
      this.#poolRows.release(entry.key);
    }
  }

  /** Gives back counters of listeners that lead elsewhere now, where no session counts any more. */
  releaseCounters(): void {
    const poolsBy = new Map<ListenerId, ReadonlySet<string>>();
    // One that leaves may still turn clients away.
    for (const { id, spec, tenure } of this.listeners.values()) {
      if (tenure === 'kept') poolsBy.set(id, new Set([countedFirst(spec), ...poolsOf(spec)]));
    }
    this.tallies.releaseIdle((listener, pool) => poolsBy.get(listener)?.has(pool) === false);
  }

  /** Forgets listeners that left, once no session counts on them. */
  releaseListeners(entries: readonly ListenerEntry[]): void {
    if (entries.length === 0) return;
    for (const { key } of entries) {
      this.listeners.delete(key);
      this.#listenerRows.release(key);
    }
    this.tallies.listenersGone(new Set(entries.map(({ id }) => id)));
  }

  #applyPool(
    spec: PoolSpec,
    resolve: RowTarget['resolve'],
    unresolved: readonly Unresolved[],
    change: Changing,
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
    for (const backend of spec.backends) {
      const endpoint = resolve(backend);
      if (endpoint !== null) present.add(this.#applyBackend(pool, backend, endpoint, change).key);
    }
    for (const { spec: wanted, standIn } of unresolved) {
      if (standIn === null) continue;
      present.add(standIn.key);
      // Its settings are those of its name; under another name it keeps its own.
      const { name, address } = standIn.spec;
      if (name === wanted.name) standIn.spec = { ...wanted, address };
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
    change: Changing,
  ): BackendEntry {
    const key = backendKey(spec, endpoint);
    const known = pool.backends.get(key);
    if (known !== undefined) {
      if (known.tenure === 'leaving') change.returned.push(known);
      known.spec = spec;
      known.tenure = 'kept';
      return known;
    }
    const id = this.#backendRows.take(backendRowKey(pool.key, key), this.#reset.backend);
    const entry: BackendEntry = { key, id, pool, endpoint, spec, tenure: 'kept' };
    pool.backends.set(key, entry);
    this.tallies.backendIs(id, { pool: pool.key, backend: spec.name });
    change.arrived.push(entry);
    return entry;
  }

  #applyListener(spec: ListenerSpec): void {
    const key = listenerKey(spec);
    const known = this.listeners.get(key);
    if (known !== undefined) {
      known.spec = spec;
      known.tenure = 'kept';
      known.series = this.tallies.unreached(known.id, countedFirst(spec), known.series);
      known.unreached = this.#unreached(spec, known.id, known.series);
      return;
    }
    const id = this.#listenerRows.take(key, this.#reset.listener);
    this.tallies.listenerIs(id, { key, name: spec.name, protocol: spec.protocol });
    const series = this.tallies.unreached(id, countedFirst(spec), null);
    const unreached = this.#unreached(spec, id, series);
    this.listeners.set(key, { key, id, series, unreached, spec, tenure: 'kept' });
  }

  #unreached(spec: ListenerSpec, id: ListenerId, series: SeriesId): Map<string, SeriesId> {
    const pools = spec.routes.length === 0 ? [] : poolsOf(spec);
    return new Map(pools.map((pool) => [pool, this.tallies.unreached(id, pool, series)]));
  }
}

/** The pool for which a session counts when it comes; '': its route is not known yet. */
function countedFirst({ pool, routes }: ListenerSpec): string {
  return routes.length === 0 ? (pool ?? '') : '';
}

function leave(backend: BackendEntry, change: Changing): void {
  if (backend.tenure === 'leaving') return;
  backend.tenure = 'leaving';
  change.departed.push(backend);
}
