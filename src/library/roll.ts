/**
 * The backends of a balancer: gives each backend a row of the ledger and keeps it for as long as
 * its name and its address stay, so that counts, latencies and health survive every update.
 */
import { assert } from '../core/assert.js';
import type { BackendId } from '../core/brand.js';
import type { Address, Endpoint } from '../core/endpoint.js';
import { backendKey } from '../core/identity.js';
import { MAX_BACKENDS } from '../core/limits.js';
import type { BackendSpec, PoolSpec } from '../core/spec.js';
import { standInsFor, type UnresolvedName } from '../names/stand_ins.js';
import type { Ledger } from '../pool/ledger.js';
import { Entry } from './entry.js';

export interface RollChange {
  readonly arrived: readonly Entry[];
  readonly departed: readonly Entry[];
}

export class Roll {
  readonly pool: { spec: PoolSpec };
  readonly #ledger: Ledger;
  /** In the order in which they came. */
  readonly #entries = new Map<string, Entry>();
  readonly #byId = new Map<BackendId, Entry>();
  readonly #free: BackendId[] = [];
  #next = 0;
  #unresolved: readonly UnresolvedName<Entry>[] = [];

  constructor(spec: PoolSpec, ledger: Ledger) {
    this.pool = { spec };
    this.#ledger = ledger;
  }

  get entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  get kept(): Entry[] {
    return [...this.#entries.values()].filter(({ tenure }) => tenure === 'kept');
  }

  /** Those whose names have no address, and what stands in for them. */
  get unresolved(): readonly UnresolvedName<Entry>[] {
    return this.#unresolved;
  }

  byId(id: BackendId): Entry | undefined {
    return this.#byId.get(id);
  }

  /** Of those that are asked for; two of one name differ by their address. */
  named(name: string): Entry | undefined {
    return this.kept.find(({ spec }) => spec.name === name);
  }

  /**
   * Follows `spec`; `endpointOf` answers null for a name without an address, in whose place one
   * that served until now goes on.
   */
  follow(spec: PoolSpec, endpointOf: (address: Address) => Endpoint | null): RollChange {
    const { kept } = this;
    const before = { kept, backends: this.pool.spec.backends, unresolved: this.#unresolved };
    const unresolved = standInsFor(before, spec.backends, ({ address }) => endpointOf(address));
    this.#mustHaveRoom(spec, endpointOf);
    this.pool.spec = spec;
    const wanted = new Set<string>();
    const arrived: Entry[] = [];
    for (const backend of spec.backends) {
      const endpoint = endpointOf(backend.address);
      if (endpoint === null) continue;
      wanted.add(backendKey(backend, endpoint));
      const entry = this.#arrival(backend, endpoint);
      if (entry !== null) arrived.push(entry);
    }
    for (const { spec: backend, standIn } of unresolved) {
      if (standIn === null) continue;
      wanted.add(standIn.key);
      // Its settings are those of its name; under another name it keeps its own.
      const { name, address } = standIn.spec;
      if (name === backend.name) standIn.spec = { ...backend, address };
    }
    this.#unresolved = unresolved;
    const departed = this.kept.filter(({ key }) => !wanted.has(key));
    for (const entry of departed) entry.tenure = 'leaving';
    return { arrived, departed };
  }

  /** Gives back the rows of `entries`, which have no sessions and are in no plan any more. */
  forget(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#entries.delete(entry.key);
      this.#byId.delete(entry.id);
      this.#ledger.resetBackend(entry.id);
      this.#free.push(entry.id);
    }
  }

  /** Before anything is done: a change that has no room changes nothing. */
  #mustHaveRoom(spec: PoolSpec, endpointOf: (address: Address) => Endpoint | null): void {
    let rows = this.#entries.size;
    for (const backend of spec.backends) {
      const endpoint = endpointOf(backend.address);
      if (endpoint !== null && !this.#entries.has(backendKey(backend, endpoint))) rows++;
    }
    if (rows > MAX_BACKENDS) {
      throw new RangeError(`more than ${MAX_BACKENDS} backends, those that leave included`);
    }
  }

  /** null: it is there already. */
  #arrival(backend: BackendSpec, endpoint: Endpoint): Entry | null {
    const known = this.#entries.get(backendKey(backend, endpoint));
    if (known !== undefined) known.spec = backend;
    if (known?.tenure === 'kept') return null;
    const entry = known ?? new Entry(this.#row(), endpoint, backend, this.pool);
    entry.tenure = 'kept';
    this.#entries.set(entry.key, entry);
    this.#byId.set(entry.id, entry);
    return entry;
  }

  #row(): BackendId {
    const id = this.#free.pop();
    if (id !== undefined) return id;
    assert(this.#next < MAX_BACKENDS, 'a change has room before it begins');
    return this.#next++ as BackendId;
  }
}
