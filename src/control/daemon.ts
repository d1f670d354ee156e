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
import { BackendBoard } from './backend_board.js';
import { Ejections } from './ejections.js';
import { Inventory, type ListenerEntry } from './inventory.js';
import { type ListenFailure, ListeningSockets } from './listening_sockets.js';
import { LookPace } from './look_pace.js';
import { PlanAcks } from './plan_acks.js';
import { drawPlan } from './planner.js';
import { PoolWatch } from './pool_watch.js';
import { Rebalances } from './rebalances.js';
import { RESOLVE_INTERVAL_MS, Resolver, resolvingTold } from './resolver.js';
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
  readonly workers: number;
  /** TCP pairs or UDP flows that the descriptor limit allows. */
  readonly sessionBudget: number;
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
  readonly #resolver: Resolver;
  readonly #acks: PlanAcks;
  readonly #pace: LookPace;
  #spec: Spec;
  #phase: Phase = 'starting';
  #version = 0;
  /** One change at a time: a reload waits for the one before it. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(spec: Spec, deps: DaemonDeps) {
    const { shared, log, counters } = deps;
    this.#spec = spec;
    this.#deps = deps;
    this.#resolver = new Resolver(deps.timers, resolvingTold(log));
    this.#acks = new PlanAcks(deps.workers);
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
        capacity: engineCapacity(deps.sessionBudget),
        memory: shared.memory,
      }),
      doorbell: shared.doorbell,
      vitals: shared.vitals,
      events: this.#fleetEvents(),
    });
    this.watch = new PoolWatch({
      ...deps,
      ledger: shared.ledger,
      inventory: this.inventory,
      shareOf: (entry) => this.board.shareOf(entry),
    });
    this.#pace = new LookPace(shared.series, this.inventory, () => this.board.isCalm);
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
    this.board = new BackendBoard({
      ...deps,
      ledger: shared.ledger,
      inventory: this.inventory,
      ejections,
      rebalances,
      ring: () => this.fleet.ringAll(),
      endSessions: (backend, cause, spanMs) =>
        this.fleet.broadcast({ kind: 'end-sessions', backend, cause, spanMs, limit: null }),
      drained: (entry) => void this.#change(() => this.#release(entry)),
      changed: (entry) => void this.watch.backend(entry),
    });
  }

  get spec(): Spec {
    return this.#spec;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Starts the workers and opens every listener; a failure leaves nothing open. */
  async start(): Promise<Result<null, string>> {
    const { log, workers } = this.#deps;
    const startedMs = this.#deps.clock.nowMs();
    try {
      await this.fleet.open(workers);
    } catch (error) {
      return err(error instanceof Error ? error.message : String(error));
    }
    const adopted = await this.#change(() => this.#adopt(this.#spec));
    if (!adopted.ok) {
      await this.#close();
      return err(`cannot listen on ${adopted.error.address}: ${adopted.error.sentence}`);
    }
    this.#phase = 'serving';
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
  reload(spec: Spec): Promise<Result<null, ListenFailure>> {
    return this.#change(() => this.#adopt(spec));
  }

  /** Stops accepting, lets sessions finish, closes the rest at `shutdown_timeout`. */
  async stop(): Promise<{ readonly cut: number }> {
    this.#phase = 'stopping';
    await this.#change(() => this.#adopt({ ...this.#spec, listeners: [] }));
    const { shutdownTimeoutMs } = this.#spec.daemon;
    const { clock } = this.#deps;
    await this.#emptied(clock.nowMs() + shutdownTimeoutMs);
    const cut = this.sessions();
    if (cut > 0) {
      this.endAllSessions('shutdown');
      await this.#emptied(clock.nowMs() + LAST_CLOSE_MS);
    }
    await this.#close();
    return { cut };
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

  async #adopt(spec: Spec): Promise<Result<null, ListenFailure>> {
    await this.#resolver.refresh(addressesOf(spec));
    for (const listener of spec.listeners) {
      const key = `${listener.protocol}/${listener.name}`;
      const opened = await this.sockets.open(key, listener);
      if (opened.ok) continue;
      this.#retireSockets();
      return opened;
    }
    this.#spec = spec;
    await this.#follow();
    this.#retireSockets();
    return ok(null);
  }

  /** Makes inventory, board and workers follow the present Spec and addresses. */
  async #follow(): Promise<void> {
    const change = this.inventory.apply(this.#spec, (backend) =>
      this.#resolver.endpoint(backend.address),
    );
    this.board.update(change);
    this.watch.look();
    await this.#publish();
    this.inventory.releasePools();
    this.#releaseListeners();
  }

  /** Sends a new plan to every worker; resolves when all have applied it. */
  async #publish(): Promise<void> {
    this.#version++;
    for (let worker = 0; worker < this.#deps.workers; worker++) this.#sendPlan(worker as WorkerId);
    await this.#acks.reached(this.#version);
  }

  #sendPlan(worker: WorkerId): void {
    const plan = drawPlan(this.inventory, worker, {
      version: this.#version,
      access: this.#spec.log.access,
      sessionBudget: this.#deps.sessionBudget,
      sockets: (entry, id) => this.sockets.planned(entry.key, entry.spec, id),
    });
    this.fleet.send(worker, { kind: 'plan', plan });
  }

  #retireSockets(): void {
    this.sockets.retireAll((key) => {
      const entry = this.inventory.listeners.get(key);
      return entry?.tenure === 'kept' ? entry.spec : null;
    });
  }

  async #release(entry: Parameters<Inventory['releaseBackend']>[0]): Promise<void> {
    if (entry.tenure === 'kept' || this.board.drains(entry)) return;
    entry.pool.backends.delete(entry.key);
    await this.#publish();
    this.inventory.releaseBackend(entry);
    this.inventory.releasePools();
    this.#deps.counters.forget({ pool: entry.pool.key, backend: entry.spec.name });
  }

  /** Only between changes: a worker that has not applied the newest plan yet still accepts. */
  #releaseListeners(): void {
    for (const entry of [...this.inventory.listeners.values()]) {
      if (this.#mayRelease(entry)) this.inventory.releaseListener(entry);
    }
  }

  #listenersLeave(): boolean {
    return [...this.inventory.listeners.values()].some((entry) => this.#mayRelease(entry));
  }

  #mayRelease({ tenure, id }: ListenerEntry): boolean {
    return tenure === 'leaving' && this.#deps.shared.ledger.listenerActive(id) === 0;
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
        return this.#acks.acknowledge(worker, message.version);
      case 'ejected':
        return this.board.look(this.#deps.clock.nowMs());
      case 'accept-failed': {
        const listener = this.#listenerOf(message.socket)?.spec.name ?? null;
        return log.event('accept-failed', { listener, errno: message.errno });
      }
      case 'opened':
        return this.#opened(worker, message.socket, message.outcome);
      case 'started':
      case 'failed':
        return;
    }
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
    this.#sendPlan(worker);
  }

  #look(): void {
    if (this.#phase === 'stopping' && this.fleet.size === 0) return;
    this.board.look(this.#deps.clock.nowMs());
    this.watch.look();
    this.fleet.check();
    if (this.#listenersLeave()) void this.#change(async () => this.#releaseListeners());
    this.#deps.timers.after(this.#pace.nextDelayMs(), () => this.#look());
  }

  #resolveAgain(): void {
    this.#deps.timers.after(RESOLVE_INTERVAL_MS, () => {
      if (this.#phase !== 'serving') return;
      void this.#change(async () => {
        if (await this.#resolver.refresh(addressesOf(this.#spec))) await this.#follow();
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
    this.#phase = 'stopping';
    await this.board.stop();
    await this.fleet.close();
    this.sockets.closeAll();
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(work);
    this.#changing = done.catch(() => undefined);
    return done;
  }
}

function addressesOf(spec: Spec) {
  return spec.pools.flatMap((pool) => pool.backends.map((backend) => backend.address));
}
