/**
 * Which of the addresses that pools dial from are on this machine, for code that dials from this
 * thread, and reports when one is missing or back. Workers pass over one that is missing by
 * themselves.
 */
import type { Timer, Timers } from '../core/clock.js';
import { type Endpoint, formatAddress, type IpEndpoint } from '../core/endpoint.js';
import { few } from '../core/few.js';
import type { Log } from '../observe/log.js';
import type { Inventory, PoolEntry } from './inventory.js';

/** Addresses come and go with interfaces, and with a machine that takes over from another one. */
const LOOK_MS = 2_000;
/** Pools that a line names. */
const MAX_TOLD = 16;

export interface SourceWatchDeps {
  readonly inventory: Inventory;
  readonly timers: Pick<Timers, 'after'>;
  readonly log: Pick<Log, 'event'>;
  /** Those of `hosts` that this machine does not have. */
  readonly missingHosts: (hosts: Iterable<string>) => Promise<ReadonlySet<string>>;
  /** Another address is dialled from now. */
  readonly changed: () => void;
  /** Something broke while it looked. */
  readonly defect: (error: unknown) => void;
}

export class SourceWatch {
  readonly #deps: SourceWatchDeps;
  #missing: ReadonlySet<string> = new Set();
  /** By pool: families of which it has backends and no source. */
  readonly #unfit = new WeakMap<PoolEntry, ReadonlySet<4 | 6>>();
  /** The last one that began: what an earlier one finds is old. */
  #look = 0;
  #timer: Timer | null = null;
  #state: 'open' | 'closed' = 'open';

  constructor(deps: SourceWatchDeps) {
    this.#deps = deps;
  }

  /**
   * From where control itself dials: the first address that fits and is here, the same one each
   * time, so that a verdict is about the backend.
   */
  sourceFor(pool: PoolEntry, endpoint: Endpoint): IpEndpoint | null {
    if (endpoint.kind === 'unix') return null;
    const fit = pool.spec.settings.sources.filter(({ family }) => family === endpoint.family);
    return fit.find(({ host }) => !this.#missing.has(host)) ?? fit[0] ?? null;
  }

  /** Those that this machine does not have, with the pools that dial from them. */
  get missing(): ReadonlyMap<string, readonly string[]> {
    if (this.#missing.size === 0) return new Map();
    return new Map([...this.#poolsByHost()].filter(([host]) => this.#missing.has(host)));
  }

  /** There are other pools or backends. */
  follow(): void {
    for (const pool of this.#deps.inventory.pools.values()) this.#tellUnfit(pool);
    this.#timer?.cancel();
    this.#timer = null;
    this.#lookNow();
  }

  stop(): void {
    this.#state = 'closed';
    this.#timer?.cancel();
  }

  #lookNow(): void {
    const pools = this.#poolsByHost();
    if (pools.size === 0 || this.#state === 'closed') return;
    const look = ++this.#look;
    const looked = this.#deps.missingHosts(pools.keys()).then((missing) => {
      if (look === this.#look) this.#found(missing);
    });
    void looked.catch(this.#deps.defect).finally(() => {
      if (this.#state === 'closed' || look !== this.#look) return;
      this.#timer = this.#deps.timers.after(LOOK_MS, () => {
        this.#timer = null;
        this.#lookNow();
      });
    });
  }

  #found(missing: ReadonlySet<string>): void {
    if (this.#state === 'closed') return;
    const before = this.#missing;
    const pools = this.#poolsByHost();
    this.#missing = missing;
    let changes = 0;
    for (const [host, names] of pools) {
      if (before.has(host) === missing.has(host)) continue;
      changes++;
      const name = missing.has(host) ? 'source-missing' : 'source-back';
      this.#deps.log.event(name, { address: host, detail: few(names, MAX_TOLD).join(', ') });
    }
    if (changes > 0) this.#deps.changed();
  }

  #poolsByHost(): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, string[]>();
    for (const { key, spec, tenure } of this.#deps.inventory.pools.values()) {
      if (tenure === 'leaving') continue;
      for (const { host } of spec.settings.sources) {
        found.set(host, [...(found.get(host) ?? []), key]);
      }
    }
    return found;
  }

  /** Names lead to addresses of either family, so the file does not show it. */
  #tellUnfit(pool: PoolEntry): void {
    const { sources } = pool.spec.settings;
    const before = this.#unfit.get(pool) ?? new Set();
    if (sources.length === 0) {
      this.#unfit.delete(pool);
      return;
    }
    const has = new Set(sources.map(({ family }) => family));
    const now = new Set<4 | 6>();
    for (const { endpoint, spec, tenure } of pool.backends.values()) {
      if (tenure === 'leaving' || endpoint.kind === 'unix') continue;
      const { family } = endpoint;
      if (has.has(family) || now.has(family)) continue;
      now.add(family);
      if (before.has(family)) continue;
      const address = formatAddress(endpoint);
      this.#deps.log.event('source-unfit', { pool: pool.key, backend: spec.name, address });
    }
    this.#unfit.set(pool, now);
  }
}
