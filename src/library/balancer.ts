/** The balancer of an application: the daemon's choice, health and limits, for its own requests. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { present } from '../core/assert.js';
import type { BackendId } from '../core/brand.js';
import { isRecord } from '../core/unknown.js';
import { createOwnLedgerMemory, Ledger } from '../pool/ledger.js';
import { Pool } from '../pool/pool.js';
import type { Lease } from '../pool/selection.js';
import { Connections } from './connections.js';
import { Counts } from './counts.js';
import { dialWithFailover } from './dial.js';
import { DrainWaits } from './drains.js';
import type { Entry } from './entry.js';
import type { BalancerEvent, BalancerEvents, Tell } from './events.js';
import { Executor } from './execute.js';
import type { Callback, ConnectOptions, ExecuteOptions, PickOptions } from './execute_options.js';
import type { Explanation } from './explanation.js';
import { FirstVerdict } from './first_verdict.js';
import { Following, type Read } from './following.js';
import { PickedLease } from './lease.js';
import type { Machine } from './machine.js';
import { type MetricRegistry, registerMetrics } from './metrics.js';
import { misfit } from './misfit.js';
import { NoBackendErrors } from './no_backend_errors.js';
import type { BalancerOptions } from './options.js';
import { readPick } from './read_calls.js';
import type { ReadOptions } from './read_options.js';
import { type Snapshot, snapshotOf } from './snapshot.js';
import { Soon } from './soon.js';
import { ONLY_POOL, States } from './states.js';
import { type Asker, Leasing, WORKER } from './waiting.js';

export class Balancer extends EventEmitter<BalancerEvents> {
  readonly #machine: Machine;
  readonly #ledger = new Ledger(createOwnLedgerMemory());
  readonly #counts = new Counts();
  readonly #connections: Connections;
  readonly #pool: Pool;
  readonly #states: States;
  readonly #waiting: Leasing;
  readonly #errors: NoBackendErrors;
  readonly #executor: Executor;
  readonly #following: Following;
  readonly #unregister: (() => void)[] = [];
  readonly #drains: DrainWaits;
  #state: 'open' | 'closed' = 'open';
  #ended: Promise<void> = Promise.resolve();
  readonly #serveSoon = new Soon(() => this.#waiting.serve());
  readonly #lookSoon = new Soon(() => this.#states.look());
  readonly #firstVerdict = new FirstVerdict(
    () => this.#state === 'open' && this.#states.isUnproven,
  );

  /** @internal `createBalancer` makes one and starts it. */
  constructor(options: ReadOptions, read: Read, machine: Machine) {
    super();
    const { spec } = options;
    const { clock, timers, waits, random } = machine;
    const tell: Tell = (event, what) => this.#tell(event, what);
    this.#machine = machine;
    this.#connections = new Connections(timers, random);
    this.#drains = new DrainWaits(waits);
    const { name, settings } = spec;
    this.#pool = new Pool(
      { id: ONLY_POOL, name, settings, backends: [] },
      {
        ledger: this.#ledger,
        worker: WORKER,
        clock,
        random,
        freed: () => this.#freed(),
        ejected: () => this.#lookSoon.ask(),
      },
    );
    this.#states = new States(spec, {
      ...machine,
      ledger: this.#ledger,
      counts: this.#counts,
      connections: this.#connections,
      tell,
      defect,
      planned: (plan) => this.#pool.update(plan),
      drainEnded: (entry) => this.#drains.ended(entry),
      ring: () => this.#ring(),
    });
    const states = this.#states;
    const counts = this.#counts;
    this.#errors = new NoBackendErrors({ pool: this.#pool, states, counts, random });
    this.#following = new Following(options, { ...machine, read, states, counts, tell, defect });
    this.#waiting = new Leasing({
      pool: this.#pool,
      ledger: this.#ledger,
      timers: waits,
      refusal: (code, asker) => this.#errors.refuse(code, asker),
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
  pick(options?: PickOptions): PickedLease {
    const asker: Asker = { clientKey: readPick(options), tried: null, signal: undefined };
    this.#counts.requests++;
    const choice = this.#waiting.choose(asker);
    if (choice.kind === 'none') throw this.#errors.refuse(choice.reason, asker);
    if (choice.kind !== 'chosen') throw this.#errors.refuse(choice.kind, asker);
    const { lease } = choice;
    const { view } = this.#entryOf(lease.backend.id);
    return new PickedLease(lease, view, (tookMs) => this.#took(lease, tookMs));
  }

  /** A connected socket; its place at the backend is taken until it closes. */
  connect(options?: ConnectOptions): Promise<Socket> {
    return dialWithFailover(
      {
        ...this.#parts(),
        connections: this.#connections,
        entryOf: (id) => this.#entryOf(id),
        refusal: (code, asker, cause) => this.#errors.refuse(code, asker, cause),
      },
      options,
    );
  }

  /**
   * Runs `callback` at a backend, and again at another one where that is safe: after a dial that
   * failed, and after whatever `retryIf` allows within the retry budget. Answers what it answers.
   */
  execute<T>(callback: Callback<T>, options?: ExecuteOptions): Promise<T> {
    return this.#executor.execute(callback, options);
  }

  /**
   * Changes options; those that are not named stay. Backends that stay keep their counts, latencies
   * and health. Resolves when the change holds; rejects, and changes nothing, when it is not valid.
   */
  async update(changes: Partial<BalancerOptions> = {}): Promise<void> {
    this.#mustBeOpen();
    if (!isRecord(changes ?? {})) throw misfit('changes', 'wrong type', 'an object', changes);
    await this.#following.update(changes ?? {});
    this.#mustBeOpen();
  }

  /**
   * No new requests for the backend of this name (or address) until `ready`; resolves when it has
   * none any more, or the drain is ended. Connections that are left after `drainTimeout` are closed
   * over `drainSpread`; requests that wait for one wait no longer then.
   */
  async drain(backend: string): Promise<void> {
    this.#mustBeOpen();
    const entry = this.#named(backend);
    const { drainTimeoutMs, drainSpreadMs } = entry.pool.spec;
    const ended = this.#drains.wait(entry, drainTimeoutMs + drainSpreadMs);
    this.#states.setAdmin(entry, 'drained');
    this.#states.look();
    return ended;
  }

  /** Ends a drain. */
  ready(backend: string): void {
    const entry = this.#named(backend);
    this.#states.setAdmin(entry, 'ready');
    this.#drains.ended(entry);
  }

  snapshot(): Snapshot {
    const { sources } = this.#following;
    return snapshotOf(this.#states, this.#ledger, this.#waiting.queued, sources);
  }

  /** What `pick` would answer and why; nothing is reserved, and no turn is taken. */
  explain(options?: PickOptions): Explanation {
    const request = { clientKey: readPick(options), tried: null };
    const { chosen, members, sentence } = this.#pool.explain(request, this.#machine.random);
    const backends = members.map(({ name: backend, reason, score }) => {
      return { backend, eligible: reason === null, reason, score };
    });
    return { chosen, rule: sentence, backends };
  }

  /** Registers the daemon's metrics of a pool; several balancers may share one registry. */
  metrics(registry: MetricRegistry): void {
    this.#mustBeOpen();
    const source = {
      name: this.name,
      counts: this.#counts,
      snapshot: () => this.snapshot(),
      sourceAges: () => this.#following.sourceAges,
    };
    this.#unregister.push(registerMetrics(registry, source));
  }

  /**
   * Ends probes, dials and waiting requests; nothing is served any more. Connections that were
   * handed out are their owners'.
   */
  close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closed';
      this.#ended = this.#end();
    }
    return this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * @internal Resolves when the first verdict is there, or after `connectTimeout`: a pick right
   *   after the start shall find a backend.
   */
  async start(): Promise<void> {
    await this.#following.start();
    const { connectTimeoutMs } = this.#pool.settings;
    await this.#firstVerdict.wait(this.#machine.waits, connectTimeoutMs);
  }

  #mustBeOpen(): void {
    if (this.#state === 'closed') throw this.#errors.error('closed', null);
  }

  async #end(): Promise<void> {
    this.#following.close();
    this.#drains.close();
    this.#waiting.close();
    this.#connections.giveUp();
    this.#firstVerdict.look();
    for (const unregister of this.#unregister) unregister();
    await this.#states.close();
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
    this.#freed();
    this.#firstVerdict.look();
  }

  #freed(): void {
    if (!this.#waiting.isEmpty) this.#serveSoon.ask();
  }
}

/** What failed in sluice, or had no room: no caller asked for it, so no caller can get it. */
function defect(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}
