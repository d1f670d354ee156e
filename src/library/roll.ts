/**
 * Who is in a balancer: gives each backend a row of the ledger and keeps it for as long as its name
 * and its address stay, so that counts, latencies and health survive every update.
 */
import type { BackendId } from '../core/brand.js';
import { type Address, type Endpoint, formatAddress } from '../core/endpoint.js';
import { MAX_BACKENDS } from '../core/limits.js';
import type { PoolSpec } from '../core/spec.js';
import type { Ledger } from '../pool/ledger.js';
import { Entry } from './entry.js';

export interface RollChange {
  readonly arrived: readonly Entry[];
  readonly left: readonly Entry[];
}

export class Roll {
  readonly pool: { spec: PoolSpec };
  readonly #ledger: Ledger;
  /** In the order in which they came. */
  readonly #entries = new Map<string, Entry>();
  readonly #byId = new Map<BackendId, Entry>();
  readonly #free: BackendId[] = [];
  #next = 0;
  /** Names that have no address. */
  #unresolved: readonly { readonly name: string; readonly address: string }[] = [];

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

  get unresolved(): readonly { readonly name: string; readonly address: string }[] {
    return this.#unresolved;
  }

  byId(id: BackendId): Entry | undefined {
    return this.#byId.get(id);
  }

  /** Of those that are asked for; two of one name differ by their address. */
  named(name: string): Entry | undefined {
    return this.kept.find(({ spec }) => spec.name === name);
  }

  /** Follows `spec`; `endpointOf` answers null for a name without an address. */
  follow(spec: PoolSpec, endpointOf: (address: Address) => Endpoint | null): RollChange {
    this.pool.spec = spec;
    const arrived: Entry[] = [];
    const unresolved: { name: string; address: string }[] = [];
    const wanted = new Set<string>();
    for (const backend of spec.backends) {
      const endpoint = endpointOf(backend.address);
      if (endpoint === null) {
        unresolved.push({ name: backend.name, address: formatAddress(backend.address) });
        continue;
      }
      const key = `${backend.name}@${formatAddress(endpoint)}`;
      wanted.add(key);
      const known = this.#entries.get(key);
      if (known !== undefined) known.spec = backend;
      if (known?.tenure === 'kept') continue;
      const entry = known ?? new Entry(this.#row(), endpoint, backend, this.pool);
      entry.tenure = 'kept';
      this.#entries.set(key, entry);
      this.#byId.set(entry.id, entry);
      arrived.push(entry);
    }
    this.#unresolved = unresolved;
    const left = this.kept.filter(({ key }) => !wanted.has(key));
    for (const entry of left) entry.tenure = 'leaving';
    return { arrived, left };
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

  #row(): BackendId {
    const id = this.#free.pop();
    if (id !== undefined) return id;
    if (this.#next >= MAX_BACKENDS) throw new RangeError(`more than ${MAX_BACKENDS} backends`);
    return this.#next++ as BackendId;
  }
}
