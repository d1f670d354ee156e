/**
 * The daemon: puts the rooms together and leads them through start, reload and stop. What each part
 * does is in its own file; this one says in which order.
 */
import type { Cause } from '../core/outcome.js';
import { err, ok, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import { RESOLVE_INTERVAL_MS, Resolver } from '../names/resolver.js';
import { AccessLists, type ReadLists } from './access_lists.js';
import { Adoption } from './adoption.js';
import { Attendance } from './attendance.js';
import type { BackendBoard } from './backend_board.js';
import { boardOf } from './board_parts.js';
import { Cancels } from './cancels.js';
import { ChangeQueue, OVERRULED, type Refusal } from './change_queue.js';
import type { DaemonDeps } from './daemon_deps.js';
import { Defects } from './defects.js';
import { Deputies } from './deputies.js';
import { DescriptorShares } from './descriptor_shares.js';
import { Desires } from './desired/desires.js';
import type { Sources } from './desired/fold.js';
import type { Override } from './desired/override.js';
import { Discoveries } from './discoveries.js';
import { EvennessWatch } from './evenness.js';
import { Inquiries } from './inquiries.js';
import { Inventory, resetOf } from './inventory.js';
import { ListeningSockets } from './listening_sockets.js';
import { LookPace } from './look_pace.js';
import { downNames, proofOfMember } from './member_entries.js';
import { PlanPublisher } from './plan_publisher.js';
import { PoolWatch } from './pool_watch.js';
import { engineCapacity } from './sizing.js';
import { Tallies } from './tallies.js';
import { untilEmpty } from './until_empty.js';
import type { Fleet } from './worker_fleet.js';
import { WorkerNews } from './worker_news.js';

export type Phase = 'starting' | 'serving' | 'stopping';

/** How long a worker may take to end what is left after the shutdown timeout. */
const LAST_CLOSE_MS = 2_000;

export class Daemon {
  readonly inventory: Inventory;
  readonly board: BackendBoard;
  readonly sockets: ListeningSockets;
  readonly fleet: Fleet;
  readonly watch: PoolWatch;
  readonly discoveries: Discoveries;
  readonly evenness: EvennessWatch;
  /** Questions to the workers. */
  readonly inquiries: Inquiries;
  readonly lists: AccessLists;
  readonly #deps: DaemonDeps;
  readonly #changes = new ChangeQueue();
  readonly #publisher: PlanPublisher;
  readonly #attendance: Attendance;
  readonly #adoption: Adoption;
  readonly #desires: Desires;
  readonly #pace: LookPace;
  readonly #defects: Defects;
  /** The file in use, and with what its sources have found. */
  #file: Spec;
  #spec: Spec;
  #phase: Phase = 'starting';
  #stopped: Promise<{ readonly cut: number }> | null = null;

  constructor(spec: Spec, deps: DaemonDeps) {
    const { shared, log } = deps;
    this.#file = spec;
    this.#deps = deps;
    this.#desires = new Desires(spec, deps.overrides, { ...deps, keep: deps.keepOverrides });
    this.#spec = this.#desires.with({}).spec;
    this.#defects = new Defects(({ count, listener, detail }) => {
      deps.counters.internalErrors(count);
      log.event('internal-error', { worker: null, listener, detail });
    });
    this.sockets = new ListeningSockets(deps.kernel, deps.workers);
    const tallies = new Tallies(shared.series, deps.clock);
    this.inventory = new Inventory(resetOf(shared.ledger), tallies);
    this.lists = new AccessLists({ ...deps, changes: this.#changes });
    const deputies = new Deputies(deps.workers);
    this.#publisher = new PlanPublisher({
      ...deps,
      deputies,
      sessionBudget: deps.budget.sessions,
      inventory: this.inventory,
      sockets: this.sockets,
      access: () => this.#spec.log.access,
      lists: this.lists,
      send: (worker, message) => this.fleet.send(worker, message),
    });
    this.#attendance = new Attendance({ ...deps, ...shared, deputies, publisher: this.#publisher });
    this.inquiries = new Inquiries({ ...deps, fleet: () => this.fleet });
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
      events: this.#news(deps),
    });
    this.watch = new PoolWatch({
      ...deps,
      ...shared,
      sessionBudget: deps.budget.sessions,
      inventory: this.inventory,
      shareOf: (entry) => this.board.shareOf(entry),
      isStopping: () => this.#phase === 'stopping',
    });
    this.evenness = new EvennessWatch({ ...shared, inventory: this.inventory });
    this.#pace = new LookPace(shared.series, this.inventory, () => this.board.isCalm);
    this.board = this.#boardOf(deps);
    this.#adoption = this.#adoptionOf(deps);
    this.discoveries = this.#discoveriesOf(deps);
  }

  get spec(): Spec {
    return this.#spec;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Something broke that ends one probe or one request, and no more. */
  defect(error: unknown): void {
    this.#defects.report(error, null, this.#deps.clock.nowMs());
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
    this.lists.watch({
      isServing: () => this.#phase === 'serving',
      follow: (use) => this.#changes.run(() => this.#adoption.followAccess(use)),
    });
    log.event('ready', {
      listeners: this.#spec.listeners.length,
      pools: this.#spec.pools.length,
      backends: this.#spec.pools.reduce((sum, pool) => sum + pool.backends.length, 0),
      duration_ms: this.#deps.clock.nowMs() - startedMs,
    });
    return ok(null);
  }

  /** What operators have overridden. */
  get desires(): Pick<Desires, 'overrides' | 'overridesOf' | 'revision' | 'sources'> {
    return this.#desires;
  }

  /** Puts a new, valid file in place of the present one; on a failure nothing has changed. */
  async reload(file: Spec): Promise<Result<null, Refusal>> {
    // Sources and name servers may be silent for seconds: no other change waits behind that.
    await this.#changes.unlessOverruled(this.discoveries.prepare(file));
    await this.#adoption.ask(this.discoveries.expected(file));
    const lists = await this.lists.read(file);
    return lists.ok ? this.#changes.run(() => this.#adoptFile(file, lists.value)) : lists;
  }

  /**
   * Changes what operators have overridden: `change` gets the sources as they are when it is its
   * turn, and says what the overrides shall be, or why not.
   */
  override(
    change: (sources: Sources) => Result<readonly Override[], Refusal>,
  ): Promise<Result<null, Refusal>> {
    return this.#changes.run(async () => {
      const wanted = change(this.#desires.sources);
      if (!wanted.ok) return wanted;
      const desired = this.#desires.with({ overrides: wanted.value });
      const done = await this.#adoption.restate(desired.spec);
      this.#desires.adopted(desired);
      return done;
    });
  }

  /** A stop begins now, and outranks what is under way; `stop` follows. */
  announceStop(): void {
    this.#phase = 'stopping';
    this.discoveries.stop();
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

  /** TCP sessions and UDP flows that are not over, of all listeners or of one. */
  sessions(listener: string | null = null): number {
    const { ledger } = this.#deps.shared;
    let sum = 0;
    for (const { key, id } of this.inventory.listeners.values()) {
      if (listener === null || listener === key) sum += ledger.listenerActive(id);
    }
    return sum;
  }

  #boardOf(deps: DaemonDeps): BackendBoard {
    return boardOf({
      ...deps,
      inventory: this.inventory,
      move: (worker, ending) => this.fleet.send(worker, { kind: 'end-sessions', ...ending }),
      ring: () => this.fleet.ringAll(),
      endSessions: (backend, cause, spanMs) =>
        this.fleet.broadcast({ kind: 'end-sessions', backend, cause, spanMs, limit: null }),
      drained: (entry) => this.#adoption.emptied(entry),
      changed: (entry) => this.watch.changed(entry),
      defect: (error) => this.defect(error),
      together: (change) => this.watch.together(change),
    });
  }

  #news(deps: DaemonDeps): WorkerNews {
    return new WorkerNews({
      ...deps,
      inventory: this.inventory,
      sockets: this.sockets,
      attendance: this.#attendance,
      inquiries: this.inquiries,
      cancels: new Cancels({
        ...deps,
        ...deps.shared,
        inventory: this.inventory,
        send: (worker, message) => this.fleet.send(worker, message),
      }),
      opened: (listener, socket, problem) => {
        this.watch.opened(listener, socket, problem);
        if (problem !== null) this.#publisher.failed(listener.id);
      },
      ejected: () => this.board.look(deps.clock.nowMs()),
      ringAll: () => this.fleet.ringAll(),
    });
  }

  #discoveriesOf(deps: DaemonDeps): Discoveries {
    return new Discoveries({
      ...deps,
      proofOf: (pool, member) => proofOfMember(this.inventory, deps.shared.ledger, pool, member),
      follow: () => this.#followSources(),
      defect: (error) => this.defect(error),
    });
  }

  #adoptionOf(deps: DaemonDeps): Adoption {
    const { shared, log } = deps;
    return new Adoption({
      ...shared,
      log,
      changes: this.#changes,
      lists: this.lists,
      resolver: new Resolver({
        timers: deps.timers,
        lookup: deps.lookup,
        changed: (name, before, address) => log.event('address-changed', { name, before, address }),
        downNames: () => downNames(this.inventory, shared.ledger),
      }),
      sockets: this.sockets,
      shares: new DescriptorShares({
        ...deps,
        descriptors: shared.ledger.descriptors,
        sockets: this.sockets,
      }),
      inventory: this.inventory,
      board: this.board,
      watch: this.watch,
      publisher: this.#publisher,
      inUse: (used) => {
        this.#spec = used;
        log.configure(used.log);
      },
    });
  }

  async #begin(): Promise<Result<null, Refusal>> {
    const reading = this.lists.read(this.#file);
    await this.#changes.unlessOverruled(this.fleet.open(this.#deps.workers));
    const lists = await reading;
    if (!lists.ok) return lists;
    const adopted = await this.#adoptFile(this.#file, lists.value);
    if (this.#changes.overruled) return err(OVERRULED);
    if (adopted.ok) this.#phase = 'serving';
    return adopted;
  }

  /**
   * Takes `file`, with what its sources have found and what operators have overridden, as what is.
   */
  async #adoptFile(file: Spec, lists: ReadLists): Promise<Result<null, Refusal>> {
    await this.#changes.unlessOverruled(this.discoveries.prepare(file));
    if (this.#changes.overruled) return err(OVERRULED);
    const adopted = await this.#adoptDesired(file, lists);
    if (adopted.ok) this.#file = file;
    this.discoveries.keepOnly(this.#file);
    return adopted;
  }

  async #adoptDesired(file: Spec, lists: ReadLists | null): Promise<Result<null, Refusal>> {
    const { discoveries } = this;
    discoveries.take();
    const desired = this.#desires.with({ configured: discoveries.with(file) });
    const adopted = await this.#adoption.adopt(desired.spec, lists);
    if (!adopted.ok) return adopted;
    this.#desires.adopted(desired);
    discoveries.tellChanges();
    for (const { pool, address } of discoveries.takeDemoted()) this.board.demoted(pool, address);
    return adopted;
  }

  async #followSources(): Promise<'followed' | 'refused'> {
    await this.#adoption.ask(this.discoveries.expected(this.#file));
    const followed = await this.#changes.run(() => this.#adoptDesired(this.#file, null));
    if (followed.ok || this.#changes.overruled) return 'followed';
    this.#deps.log.event('discovery-refused', { problems: followed.error });
    return 'refused';
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

  #look(): void {
    if (this.#phase === 'stopping' && this.fleet.size === 0) return;
    this.board.look(this.#deps.clock.nowMs());
    this.watch.lookAgain();
    this.evenness.look(this.#deps.clock.nowMs());
    this.#defects.flush(this.#deps.clock.nowMs());
    this.#attendance.look(this.#deps.clock.nowMs());
    this.fleet.check();
    if (this.#desires.isDue) void this.override(({ overrides }) => ok(overrides));
    if (this.#adoption.listenersLeave) {
      void this.#changes.run(() => this.#adoption.releaseListeners());
    }
    this.#deps.timers.after(this.#pace.nextDelayMs(), () => this.#look());
  }

  #resolveAgain(): void {
    this.#deps.timers.after(RESOLVE_INTERVAL_MS, () => {
      if (this.#phase !== 'serving') return;
      void this.#adoption
        .followAddresses(() => this.#spec)
        .then((followed) => {
          if (followed.ok || this.#changes.overruled) return;
          this.#deps.log.event('addresses-refused', { problems: followed.error });
        });
      this.#resolveAgain();
    });
  }

  #emptied(untilMs: number): Promise<void> {
    return untilEmpty(() => this.sessions(), untilMs, this.#deps);
  }

  async #close(): Promise<void> {
    await this.board.stop();
    await this.fleet.close();
    this.sockets.closeAll();
  }
}
