/** The balancer of an application: the daemon's choice, health and limits, for its own requests. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { present } from '../core/assert.js';
import type { BackendId } from '../core/brand.js';
import type { Timer } from '../core/clock.js';
import { formatAddress } from '../core/endpoint.js';
import type { PoolSpec } from '../core/spec.js';
import { withMembers } from '../discovery/fold_discovered.js';
import { RESOLVE_INTERVAL_MS, Resolver } from '../names/resolver.js';
import { createOwnLedgerMemory, Ledger } from '../pool/ledger.js';
import { Pool } from '../pool/pool.js';
import type { Lease } from '../pool/selection.js';
import { standingOf } from '../pool/standing.js';
import { clientKeyOf } from './client_key.js';
import { Connections } from './connections.js';
import { Counts } from './counts.js';
import { dialWithFailover } from './dial.js';
import type { Entry } from './entry.js';
import { type NoBackendCode, NoBackendError } from './errors.js';
import type { BalancerEvent, BalancerEvents } from './events.js';
import { Executor } from './execute.js';
import type { Callback, ConnectOptions, ExecuteOptions, PickOptions } from './execute_options.js';
import type { Explanation } from './explanation.js';
import { PickedLease } from './lease.js';
import type { Machine } from './machine.js';
import { type MetricRegistry, registerMetrics } from './metrics.js';
import type { BalancerOptions } from './options.js';
import type { ReadOptions } from './read_options.js';
import { type Snapshot, snapshotOf } from './snapshot.js';
import { Sources } from './sources.js';
import { POOL, States } from './states.js';
import { type Asker, Waiting, WORKER } from './waiting.js';

/** Where a balancer's options come from: read at the start, and at each `update`. */
export type Read = (changes: Partial<BalancerOptions>) => ReadOptions | Promise<ReadOptions>;

/** Somebody waits for the end of a drain. */
interface DrainWait {
  readonly entry: Entry;
  readonly end: () => void;
}

/** Between two changes because of sources. */
const APPLY_GAP_MS = 1_000;

export class Balancer extends EventEmitter<BalancerEvents> {
  readonly #machine: Machine;
  readonly #read: Read;
  readonly #sources: Sources;
  /** The options in use. */
  #options: ReadOptions;
  #applied: Timer | null = null;
  readonly #ledger = new Ledger(createOwnLedgerMemory());
  readonly #counts = new Counts();
  readonly #connections: Connections;
  readonly #pool: Pool;
  readonly #states: States;
  readonly #waiting: Waiting;
  readonly #executor: Executor;
  readonly #resolver: Resolver;
  readonly #unregister: (() => void)[] = [];
  readonly #drainWaits = new Set<DrainWait>();
  #names: Timer | null = null;
  /** One update at a time. */
  #updates: Promise<unknown> = Promise.resolve();
  #state: 'open' | 'closed' = 'open';
  #serving: 'no' | 'soon' = 'no';
  #looking: 'no' | 'soon' = 'no';
  #onRing: () => void = () => {};

  /** @internal `createBalancer` makes one and starts it. */
  constructor(options: ReadOptions, read: Read, machine: Machine) {
    super();
    const { spec } = options;
    this.#options = options;
    const { clock, timers, waits, random, lookup } = machine;
    this.#machine = machine;
    this.#read = read;
    this.#connections = new Connections(timers, random);
    const downNames = (): ReadonlySet<string> => this.#states.downNames();
    this.#resolver = new Resolver({ timers: waits, lookup, changed: () => {}, downNames });
    const { name, settings } = spec;
    this.#pool = new Pool(
      { id: POOL, name, settings, backends: [] },
      {
        ledger: this.#ledger,
        worker: WORKER,
        clock,
        random,
        freed: () => this.#serveSoon(),
        ejected: () => this.#lookSoon(),
      },
    );
    this.#states = new States(spec, {
      ...machine,
      ledger: this.#ledger,
      counts: this.#counts,
      connections: this.#connections,
      tell: (event, what) => this.#tell(event, what),
      defect: (error) => process.emitWarning(asError(error)),
      planned: (plan) => this.#pool.update(plan),
      ring: () => this.#ring(),
    });
    this.#sources = new Sources({
      ...machine,
      isWell: ({ address }) => this.#states.isAnswering(formatAddress(address)),
      changed: () => this.#followSoon(),
      defect: (error) => process.emitWarning(asError(error)),
    });
    this.#waiting = new Waiting({
      pool: this.#pool,
      ledger: this.#ledger,
      timers: waits,
      refusal: (code, asker) => this.#refusal(code, asker),
    });
    this.#executor = new Executor({
      ...this.#parts(),
      random,
      backendOf: (id) => this.#entryOf(id).view,
    });
  }

  /** The name in events, errors and metrics. */
  get name(): string {
    return this.#states.roll.pool.spec.name;
  }

  /**
   * A lease of a backend, which must be settled. Throws a NoBackendError where no backend is
   * eligible now: it does not wait.
   */
  pick({ key }: PickOptions = {}): PickedLease {
    const asker: Asker = { clientKey: clientKeyOf(key), tried: null, signal: undefined };
    this.#counts.requests++;
    const selection = this.#waiting.choose(asker);
    if (selection.kind === 'unproven') throw this.#refusal('unproven', asker);
    if (selection.kind === 'none') throw this.#refusal(selection.reason, asker);
    const { lease } = selection;
    const { view } = this.#entryOf(lease.backend.id);
    return new PickedLease(lease, view, (tookMs) => this.#took(lease, tookMs));
  }

  /** A connected socket; its place at the backend is taken until it closes. */
  connect(options: ConnectOptions = {}): Promise<Socket> {
    return dialWithFailover(
      {
        ...this.#parts(),
        connections: this.#connections,
        entryOf: (id) => this.#entryOf(id),
        refusal: (code, asker, cause) => this.#refusal(code, asker, cause),
      },
      options,
    );
  }

  /**
   * Runs `callback` at a backend, and again at another one where that is safe: after a dial that
   * failed, and after whatever `retryIf` allows within the retry budget. Answers what it answers.
   */
  execute<T>(callback: Callback<T>, options: ExecuteOptions = {}): Promise<T> {
    return this.#executor.execute(callback, options);
  }

  /**
   * Changes options; those that are not named stay. Backends that stay keep their counts, latencies
   * and health. Resolves when the change holds; rejects, and changes nothing, when it is not valid.
   */
  update(changes: Partial<BalancerOptions> = {}): Promise<void> {
    const done = this.#updates.then(async () => this.#follow(await this.#read(changes)));
    this.#updates = done.catch(() => {});
    return done;
  }

  /**
   * No new requests for the backend of this name (or address) until `ready`; resolves when it has
   * none any more, or the drain is ended. Connections that are left after `drainTimeout` are closed
   * over `drainSpread`.
   */
  drain(backend: string): Promise<void> {
    const entry = this.#named(backend);
    return new Promise((resolve) => {
      const hold = this.#machine.waits.after(Number.MAX_SAFE_INTEGER, () => {});
      const drained = (what: BalancerEvents['backend-drained'][0]): void => {
        if (what.backend === entry.spec.name) wait.end();
      };
      const wait: DrainWait = {
        entry,
        end: () => {
          this.#drainWaits.delete(wait);
          this.off('backend-drained', drained);
          hold.cancel();
          resolve();
        },
      };
      this.#drainWaits.add(wait);
      this.on('backend-drained', drained);
      this.#states.setAdmin(entry, 'drained');
      this.#states.look();
    });
  }

  /** Ends a drain. */
  ready(backend: string): void {
    const entry = this.#named(backend);
    this.#states.setAdmin(entry, 'ready');
    for (const wait of [...this.#drainWaits]) if (wait.entry === entry) wait.end();
  }

  snapshot(): Snapshot {
    return snapshotOf(this.#states, this.#ledger, this.#waiting.queued);
  }

  /** What `pick` would answer and why; nothing is reserved, and no turn is taken. */
  explain({ key }: PickOptions = {}): Explanation {
    const request = { clientKey: clientKeyOf(key), tried: null };
    const { chosen, members, sentence } = this.#pool.explain(request, this.#machine.random);
    const backends = members.map(({ name: backend, reason, score }) => {
      return { backend, eligible: reason === null, reason, score };
    });
    return { chosen, rule: sentence, backends };
  }

  /** Registers the daemon's metrics of a pool; several balancers may share one registry. */
  metrics(registry: MetricRegistry): void {
    const source = { counts: this.#counts, snapshot: () => this.snapshot() };
    this.#unregister.push(registerMetrics(registry, source));
  }

  /** Ends probes and whoever waits. Connections that were handed out are their owners'. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#names?.cancel();
    this.#applied?.cancel();
    this.#sources.stop();
    for (const wait of [...this.#drainWaits]) wait.end();
    this.#waiting.close();
    this.#onRing();
    for (const unregister of this.#unregister) unregister();
    await this.#states.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * @internal Resolves when the first verdict is there, or after `connectTimeout`: who picks right
   * after the start shall find somebody.
   */
  async start(): Promise<void> {
    const { spec } = this.#options;
    await this.#follow(this.#options);
    if (!this.#isUnproven()) return;
    await new Promise<void>((resolve) => {
      const timer = this.#machine.waits.after(spec.settings.connectTimeoutMs, resolve);
      this.#onRing = () => {
        if (this.#state === 'open' && this.#isUnproven()) return;
        timer.cancel();
        resolve();
      };
    });
    this.#onRing = () => {};
  }

  /** What sources have found has changed: applied at most once a second, all of it together. */
  #followSoon(): void {
    if (this.#applied !== null || this.#state === 'closed') return;
    this.#applied = this.#machine.timers.after(APPLY_GAP_MS, () => {
      this.#applied = null;
      this.#followAgain();
    });
  }

  #followAgain(): void {
    this.#updates = this.#updates.then(() => this.#follow(this.#options));
  }

  /** Looks names up first: where one has no address, who served until now goes on. */
  async #follow(options: ReadOptions): Promise<void> {
    this.#options = options;
    await this.#sources.follow(options.spec.discovery, options.registries);
    const spec = this.#withFound(options.spec);
    const addresses = spec.backends.map(({ address }) => address);
    await this.#resolver.refresh(addresses);
    if (this.#state === 'closed') return;
    this.#states.follow(spec, (address) => this.#resolver.endpoint(address));
    this.#resolver.followed(addresses);
    this.#names?.cancel();
    if (!addresses.some(({ kind }) => kind === 'name')) return;
    this.#names = this.#machine.timers.after(RESOLVE_INTERVAL_MS, () => this.#followAgain());
  }

  /** Where sources have not named anybody yet, those that serve go on. */
  #withFound(spec: PoolSpec): PoolSpec {
    const found = withMembers(spec, this.#sources.found);
    if (found.backends.length > 0 || this.#sources.mayBeEmpty) return found;
    return { ...found, backends: this.#states.roll.kept.map((entry) => entry.spec) };
  }

  #parts() {
    return {
      clock: this.#machine.clock,
      timers: this.#machine.waits,
      waiting: this.#waiting,
      counts: this.#counts,
      settings: () => this.#pool.settings,
      took: (lease: Lease, tookMs: number) => this.#took(lease, tookMs),
    };
  }

  #took(lease: Lease, tookMs: number): void {
    const { passive } = this.#states;
    if (passive.comparesLatencies) passive.latencies.observe(lease.backend.id, tookMs);
  }

  #refusal(code: NoBackendCode, { tried }: Asker, cause?: unknown): Error {
    this.#counts.refusal(code);
    const reasons: Record<string, NonNullable<Explanation['backends'][number]['reason']>> = {};
    const asked = { clientKey: clientKeyOf(undefined), tried };
    const explained = this.#pool.explain(asked, this.#machine.random);
    for (const { name, reason } of explained.members) if (reason !== null) reasons[name] = reason;
    const names = (tried ?? []).map((id) => this.#states.roll.byId(id)?.spec.name ?? '');
    return new NoBackendError(this.name, code, reasons, names, cause);
  }

  #isUnproven(): boolean {
    const { roll } = this.#states;
    const members = roll.kept.map(({ id, spec }) => ({ id, backup: spec.backup }));
    const { panicPercent } = roll.pool.spec.settings;
    return standingOf(this.#ledger, members, panicPercent).serves === 'unproven';
  }

  #entryOf(id: BackendId): Entry {
    return present(this.#states.roll.byId(id), 'a lease is of a backend that is known');
  }

  #named(backend: string): Entry {
    const { roll } = this.#states;
    const entry = roll.named(backend) ?? roll.kept.find(({ view }) => view.address === backend);
    if (entry !== undefined) return entry;
    throw new RangeError(`${this.name} has no backend that is called ${backend}`);
  }

  /** What a listener throws is the application's, and stops nothing of ours. */
  #tell<E extends BalancerEvent>(event: E, what: BalancerEvents[E][0]): void {
    try {
      (this as EventEmitter).emit(event, what);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #ring(): void {
    this.#serveSoon();
    this.#onRing();
  }

  /** Outside of what has freed a place. */
  #serveSoon(): void {
    if (this.#serving === 'soon' || this.#waiting.isEmpty) return;
    this.#serving = 'soon';
    queueMicrotask(() => {
      this.#serving = 'no';
      this.#waiting.serve();
    });
  }

  #lookSoon(): void {
    if (this.#looking === 'soon') return;
    this.#looking = 'soon';
    queueMicrotask(() => {
      this.#looking = 'no';
      this.#states.look();
    });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
