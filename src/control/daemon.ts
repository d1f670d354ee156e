/**
 * The daemon: puts the rooms together and leads them through start, reload and stop. What each part
 * does is in its own file; this one says in which order.
 */
import type { WorkerId } from '../core/brand.js';
import type { Clock, Timers } from '../core/clock.js';
import type { Cause } from '../core/outcome.js';
import type { Random } from '../core/random.js';
import { err, ok, type Result } from '../core/result.js';
import type { EngineName, ProbeSpec, Spec } from '../core/spec.js';
import type { Probe } from '../health/probe.js';
import type { Kernel } from '../kernel/foreign.js';
import type { Log } from '../observe/log.js';
import type { ControlCounters } from '../observe/metrics.js';
import { Adoption } from './adoption.js';
import { BackendBoard } from './backend_board.js';
import { ChangeQueue, OVERRULED, type Refusal } from './change_queue.js';
import type { DescriptorBudget } from './descriptor_budget.js';
import { DescriptorShares } from './descriptor_shares.js';
import { Ejections } from './ejections.js';
import { lookupHost } from './host_lookup.js';
import { Inventory, type ListenerEntry } from './inventory.js';
import { ListeningSockets } from './listening_sockets.js';
import { LookPace } from './look_pace.js';
import { PlanPublisher } from './plan_publisher.js';
import { PoolWatch } from './pool_watch.js';
import { Rebalances } from './rebalances.js';
import { RESOLVE_INTERVAL_MS, Resolver } from './resolver.js';
import type { SharedState } from './shared_state.js';
import { engineCapacity } from './sizing.js';
import type { Fleet, FleetDeps } from './worker_fleet.js';
import type { FromWorker } from './worker_protocol.js';

export interface DaemonDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly createProbe: (spec: ProbeSpec) => Probe;
  readonly createFleet: (deps: FleetDeps) => Fleet;
  readonly kernel: Kernel | null;
  readonly shared: SharedState;
  readonly log: Log;
  readonly counters: ControlCounters;
  readonly engine: EngineName;
  /** What was told already that the engine does without. */
  readonly withouts: readonly string[];
  readonly workers: number;
  readonly budget: DescriptorBudget;
}

export type Phase = 'starting' | 'serving' | 'stopping';

/** How long a worker may take to end what is left after the shutdown timeout. */
const LAST_CLOSE_MS = 2_000;
const POLL_MS = 10;

export class Daemon {
  readonly inventory: Inventory;
  readonly board: BackendBoard;
  readonly sockets: ListeningSockets;
  readonly fleet: Fleet;
  readonly watch: PoolWatch;
  readonly #deps: DaemonDeps;
  readonly #changes = new ChangeQueue();
  readonly #publisher: PlanPublisher;
  /** What was told that the engine does without. */
  readonly #withouts: Set<string>;
  readonly #adoption: Adoption;
  readonly #pace: LookPace;
  #spec: Spec;
  #phase: Phase = 'starting';
  #stopped: Promise<{ readonly cut: number }> | null = null;

  constructor(spec: Spec, deps: DaemonDeps) {
    const { shared, log } = deps;
    this.#spec = spec;
    this.#deps = deps;
    this.#withouts = new Set(deps.withouts);
    this.sockets = new ListeningSockets(deps.kernel, deps.workers);
    this.inventory = new Inventory({
      backend: (id) => shared.ledger.resetBackend(id),
      listener: (id) => shared.ledger.resetListener(id),
      series: (id) => shared.series.clear(id),
    });
    this.fleet = deps.createFleet({
      ...deps,
      start: (worker) => ({
        worker,
        workers: deps.workers,
        engine: deps.engine,
        capacity: engineCapacity(deps.budget.sessions),
        pipes: deps.budget.pipesAWorker,
        memory: shared.memory,
      }),
      doorbell: shared.doorbell,
      vitals: shared.vitals,
      events: this.#fleetEvents(),
    });
    this.watch = new PoolWatch({
      ...deps,
      sessionBudget: deps.budget.sessions,
      ledger: shared.ledger,
      inventory: this.inventory,
      shareOf: (entry) => this.board.shareOf(entry),
      isStopping: () => this.#phase === 'stopping',
    });
    this.#pace = new LookPace(shared.series, this.inventory, () => this.board.isCalm);
    this.board = this.#boardOf(deps);
    this.#publisher = new PlanPublisher({
      ...deps,
      sessionBudget: deps.budget.sessions,
      inventory: this.inventory,
      sockets: this.sockets,
      access: () => this.#spec.log.access,
      send: (worker, message) => this.fleet.send(worker, message),
    });
    this.#adoption = this.#adoptionWith(
      new Resolver({
        timers: deps.timers,
        lookup: lookupHost,
        changed: (name, before, address) => log.event('address-changed', { name, before, address }),
      }),
    );
  }

  get spec(): Spec {
    return this.#spec;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Starts the workers and opens every listener; a failure leaves nothing open. */
  async start(): Promise<Result<null, Refusal>> {
    const { log } = this.#deps;
    const startedMs = this.#deps.clock.nowMs();
    const started = await this.#changes.run(() => this.#begin());
    if (!started.ok) {
      if (!this.#changes.overruled) await this.#close();
      return started;
    }
    this.#look();
    this.#resolveAgain();
    log.event('ready', {
      listeners: this.#spec.listeners.length,
      pools: this.#spec.pools.length,
      backends: this.#spec.pools.reduce((sum, pool) => sum + pool.backends.length, 0),
      duration_ms: this.#deps.clock.nowMs() - startedMs,
    });
    return ok(null);
  }

  /** Puts a new, valid Spec in place of the present one; on a failure nothing has changed. */
  reload(spec: Spec): Promise<Result<null, Refusal>> {
    return this.#changes.run(() => this.#adoption.adopt(spec));
  }

  /** A stop begins now, and outranks what is under way; `stop` follows. */
  announceStop(): void {
    this.#phase = 'stopping';
    this.#changes.overrule();
  }

  /** Stops accepting, lets sessions finish, closes the rest at `shutdown_timeout`. */
  stop(): Promise<{ readonly cut: number }> {
    this.announceStop();
    this.#stopped ??= this.#changes.stop(() => this.#end());
    return this.#stopped;
  }

  /** The process is about to exit: a worker that blocks would hold it up for a second. */
  abandonWorkers(): void {
    this.fleet.broadcast({ kind: 'stop' });
  }

  endAllSessions(cause: Cause): void {
    this.fleet.broadcast({ kind: 'end-sessions', backend: null, cause, spanMs: 0, limit: null });
  }

  /** TCP sessions and UDP flows that are not over. */
  sessions(): number {
    const { ledger } = this.#deps.shared;
    let sum = 0;
    for (const listener of this.inventory.listeners.values()) {
      sum += ledger.listenerActive(listener.id);
    }
    return sum;
  }

  #boardOf(deps: DaemonDeps): BackendBoard {
    const { shared, log, counters } = deps;
    const ejections = new Ejections({
      ledger: shared.ledger,
      series: shared.series,
      inventory: this.inventory,
      counters,
      log,
    });
    const rebalances = new Rebalances({
      ledger: shared.ledger,
      inventory: this.inventory,
      log,
      workers: deps.workers,
      move: (worker, ending) => this.fleet.send(worker, { kind: 'end-sessions', ...ending }),
    });
    return new BackendBoard({
      ...deps,
      probesInFlight: deps.budget.probes,
      ledger: shared.ledger,
      inventory: this.inventory,
      ejections,
      rebalances,
      ring: () => this.fleet.ringAll(),
      endSessions: (backend, cause, spanMs) =>
        this.fleet.broadcast({ kind: 'end-sessions', backend, cause, spanMs, limit: null }),
      drained: (entry) => this.#adoption.emptied(entry),
      changed: (entry) => void this.watch.backend(entry),
    });
  }

  #adoptionWith(resolver: Resolver): Adoption {
    const { shared, counters, log } = this.#deps;
    return new Adoption({
      ...shared,
      counters,
      log,
      changes: this.#changes,
      resolver,
      sockets: this.sockets,
      shares: new DescriptorShares({
        ...this.#deps,
        descriptors: shared.ledger.descriptors,
        sockets: this.sockets,
      }),
      inventory: this.inventory,
      board: this.board,
      watch: this.watch,
      publisher: this.#publisher,
      inUse: (used) => {
        this.#spec = used;
      },
    });
  }

  async #begin(): Promise<Result<null, Refusal>> {
    await this.#changes.unlessOverruled(this.fleet.open(this.#deps.workers));
    if (this.#changes.overruled) return err(OVERRULED);
    const adopted = await this.#adoption.adopt(this.#spec);
    if (this.#changes.overruled) return err(OVERRULED);
    if (adopted.ok) this.#phase = 'serving';
    return adopted;
  }

  async #end(): Promise<{ readonly cut: number }> {
    const { clock, timers } = this.#deps;
    const { shutdownTimeoutMs } = this.#spec.daemon;
    const untilMs = clock.nowMs() + shutdownTimeoutMs;
    // A worker that was lost in this moment applies no plan for a while.
    const patience = new Promise<void>((resolve) => timers.after(shutdownTimeoutMs, resolve));
    await this.#adoption.leaveAll(this.#spec, patience);
    await this.#emptied(untilMs);
    const cut = this.sessions();
    if (cut > 0) {
      this.endAllSessions('shutdown');
      await this.#emptied(clock.nowMs() + LAST_CLOSE_MS);
    }
    await this.#close();
    return { cut };
  }

  #hear(worker: WorkerId, message: FromWorker): void {
    const { log, shared } = this.#deps;
    switch (message.kind) {
      case 'access':
        for (const record of message.records) log.access(record);
        return shared.vitals.written(worker, message.records.length);
      case 'access-lost':
        return log.event('access-lost', { count: message.count });
      case 'applied':
        return this.#publisher.applied(worker, message.version);
      case 'ejected':
        return this.board.look(this.#deps.clock.nowMs());
      case 'degraded':
        return this.#degraded(message.detail);
      case 'accept-failed': {
        const listener = this.#listenerOf(message.socket)?.spec.name ?? null;
        return log.event('accept-failed', { listener, errno: message.errno });
      }
      case 'internal-error': {
        const { count, listener, detail } = message;
        this.#deps.counters.internalErrors(count);
        return log.event('internal-error', { worker, listener, detail });
      }
      case 'opened':
        return this.#opened(worker, message.socket, message.outcome);
      case 'started':
      case 'failed':
        return;
    }
  }

  /** What one worker does without, all of them do: it is told once. */
  #degraded(detail: string): void {
    if (this.#withouts.has(detail)) return;
    this.#withouts.add(detail);
    this.#deps.log.event('engine-degraded', { engine: this.#deps.engine, detail });
  }

  #fleetEvents(): FleetDeps['events'] {
    const { log } = this.#deps;
    return {
      message: (worker, message) => this.#hear(worker, message),
      lost: (worker, detail) => this.#lost(worker, detail),
      replaced: (worker) => this.#replaced(worker),
      silent: (worker, silentMs) => log.event('worker-silent', { worker, duration_ms: silentMs }),
    };
  }

  #opened(
    worker: WorkerId,
    socket: number,
    outcome: Extract<FromWorker, { kind: 'opened' }>['outcome'],
  ): void {
    const entry = this.#listenerOf(socket);
    if (entry === undefined) return;
    const { name: listener, protocol, pool } = entry.spec;
    this.watch.opened(entry, socket, outcome.ok ? null : outcome.sentence);
    if (!outcome.ok) {
      const { errno, sentence: detail } = outcome;
      const address = this.sockets.addressOf(socket);
      this.#deps.log.event('listen-failed', { listener, protocol, address, errno, detail });
      return;
    }
    this.sockets.bound(socket, outcome.local);
    if (worker !== 0) return;
    const address = this.sockets.addressOf(socket);
    this.#deps.log.event('listening', { listener, protocol, address, pool });
  }

  #listenerOf(socket: number): ListenerEntry | undefined {
    const key = this.sockets.ownerOf(socket);
    return key === undefined ? undefined : this.inventory.listeners.get(key);
  }

  #lost(worker: WorkerId, detail: string): void {
    const { shared, kernel, log } = this.#deps;
    const sessions = shared.ledger.sessionsOf(worker);
    if (kernel !== null) shared.holdings.giveBack(kernel, worker);
    shared.ledger.forgetWorker(worker);
    shared.series.forgetActive(worker);
    log.event('worker-lost', { worker, sessions, detail });
    this.fleet.ringAll();
  }

  #replaced(worker: WorkerId): void {
    this.#deps.counters.workerRestart(worker);
    this.#deps.log.event('worker-started', { worker, engine: this.#deps.engine });
    this.#publisher.sendTo(worker);
  }

  #look(): void {
    if (this.#phase === 'stopping' && this.fleet.size === 0) return;
    this.board.look(this.#deps.clock.nowMs());
    this.watch.look();
    this.fleet.check();
    if (this.#adoption.listenersLeave) {
      void this.#changes.run(() => this.#adoption.releaseListeners());
    }
    this.#deps.timers.after(this.#pace.nextDelayMs(), () => this.#look());
  }

  #resolveAgain(): void {
    this.#deps.timers.after(RESOLVE_INTERVAL_MS, () => {
      if (this.#phase !== 'serving') return;
      void this.#changes
        .run(() => this.#adoption.followAddresses(this.#spec))
        .then((followed) => {
          if (followed.ok || this.#changes.overruled) return;
          this.#deps.log.event('addresses-refused', { problems: followed.error });
        });
      this.#resolveAgain();
    });
  }

  /** Resolves when no session is left, or at `untilMs`. */
  #emptied(untilMs: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.sessions() === 0 || this.#deps.clock.nowMs() >= untilMs) return resolve();
        this.#deps.timers.after(POLL_MS, look);
      };
      look();
    });
  }

  async #close(): Promise<void> {
    await this.board.stop();
    await this.fleet.close();
    this.sockets.closeAll();
  }
}
