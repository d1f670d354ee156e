/**
 * Which backends a balancer has: its options, what names lead to and what sources have found,
 * followed one change at a time.
 */
import type { Timer } from '../core/clock.js';
import { formatAddress } from '../core/endpoint.js';
import type { SourceSnapshot } from '../core/source_snapshot.js';
import type { PoolSpec } from '../core/spec.js';
import { withMembers } from '../discovery/fold_discovered.js';
import { RESOLVE_INTERVAL_MS, Resolver } from '../names/resolver.js';
import type { Counts } from './counts.js';
import type { Tell } from './events.js';
import type { Machine } from './machine.js';
import type { BalancerOptions } from './options.js';
import type { ReadOptions } from './read_options.js';
import { Sources } from './sources.js';
import type { States } from './states.js';

/** Where a balancer's options come from: read at each `update`. */
export type Read = (changes: Partial<BalancerOptions>) => ReadOptions | Promise<ReadOptions>;

export interface FollowingDeps extends Machine {
  readonly read: Read;
  readonly states: States;
  readonly counts: Counts;
  readonly tell: Tell;
  readonly defect: (error: unknown) => void;
}

/** Between two changes because of sources. */
const APPLY_GAP_MS = 1_000;

export class Following {
  readonly #deps: FollowingDeps;
  readonly #sources: Sources;
  readonly #resolver: Resolver;
  /** In use. */
  #options: ReadOptions;
  /** One change at a time. */
  #changes: Promise<unknown> = Promise.resolve();
  #applied: Timer | null = null;
  #later: Timer | null = null;
  #state: 'open' | 'closed' = 'open';

  constructor(options: ReadOptions, deps: FollowingDeps) {
    this.#deps = deps;
    this.#options = options;
    const { states, waits, lookup } = deps;
    this.#resolver = new Resolver({
      timers: waits,
      lookup,
      changed: () => {},
      downNames: () => states.downNames(),
    });
    this.#sources = new Sources({
      ...deps,
      name: options.spec.name,
      proofOf: ({ address }) => states.proofOf(formatAddress(address)),
      changed: () => this.#followSoon(),
    });
  }

  get sources(): readonly SourceSnapshot[] {
    return this.#sources.snapshot;
  }

  get sourceAges(): ReadonlyMap<string, number> {
    return this.#sources.ages;
  }

  start(): Promise<void> {
    return this.#follow(this.#options);
  }

  /** Rejects, and changes nothing, when what `changes` lead to is not valid. */
  update(changes: Partial<BalancerOptions>): Promise<void> {
    const done = this.#changes.then(async () => {
      if (!this.#isClosed()) await this.#follow(await this.#deps.read(changes));
    });
    this.#changes = done.catch(() => {});
    return done;
  }

  close(): void {
    this.#state = 'closed';
    this.#later?.cancel();
    this.#applied?.cancel();
    this.#sources.stop();
  }

  /** Looks names up first: where one has no address, the backend that served until now goes on. */
  async #follow(options: ReadOptions): Promise<void> {
    if (this.#isClosed()) return;
    this.#options = options;
    await this.#sources.follow(options.spec.discovery, options.registries);
    const spec = this.#withFound(options.spec);
    const demoted = this.#sources.takeDemoted();
    const addresses = spec.backends.map(({ address }) => address);
    await this.#resolver.refresh(addresses);
    if (this.#isClosed()) return;
    this.#deps.states.follow(spec, (address) => this.#resolver.endpoint(address));
    for (const address of demoted) this.#deps.states.demoted(address);
    this.#resolver.followed(addresses);
    this.#later?.cancel();
    if (addresses.some(({ kind }) => kind === 'name')) this.#followLater();
  }

  /** Where sources have not named a backend yet, those that serve go on. */
  #withFound(spec: PoolSpec): PoolSpec {
    const found = withMembers(spec, this.#sources.found);
    if (found.backends.length > 0 || this.#sources.mayBeEmpty) return found;
    return { ...found, backends: this.#deps.states.roll.kept.map((entry) => entry.spec) };
  }

  /** What sources have found has changed: applied at most once per second, all of it together. */
  #followSoon(): void {
    if (this.#applied !== null || this.#isClosed()) return;
    this.#applied = this.#deps.timers.after(APPLY_GAP_MS, () => {
      this.#applied = null;
      this.#followAgain();
    });
  }

  #followLater(): void {
    if (this.#isClosed()) return;
    this.#later?.cancel();
    this.#later = this.#deps.timers.after(RESOLVE_INTERVAL_MS, () => this.#followAgain());
  }

  #followAgain(): void {
    this.#changes = this.#changes
      .then(() => this.#follow(this.#options))
      .catch((error: unknown) => {
        this.#deps.defect(error);
        this.#followLater();
      });
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}
