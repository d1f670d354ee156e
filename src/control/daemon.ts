/**
 * The daemon: leads its parts through start, reload and stop. What each does is in its own file,
 * and which of the larger ones knows which in daemon_parts.ts; this one says in which order.
 */
import { untilTogether } from '../core/clock.js';
import type { Cause } from '../core/outcome.js';
import { err, ok, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import { AccessLists, type ReadLists } from './access_lists.js';
import type { Adoption } from './adoption.js';
import { Attendance } from './attendance.js';
import type { BackendBoard } from './backend_board.js';
import { ChangeQueue, OVERRULED, type Refusal } from './change_queue.js';
import type { DaemonDeps } from './daemon_deps.js';
import {
  adoptionOf,
  boardOf,
  defectsOf,
  discoveriesOf,
  fleetOf,
  looksOf,
  publisherOf,
  watchOf,
} from './daemon_parts.js';
import type { Defects } from './defects.js';
import { Deputies } from './deputies.js';
import { Desires, type DesiresNow } from './desired/desires.js';
import type { DesiredSources } from './desired/fold.js';
import type { Override } from './desired/override.js';
import type { Discoveries } from './discoveries.js';
import { EvennessWatch } from './evenness.js';
import { meansOf, tellInherited } from './inherited_sockets.js';
import { Inquiries } from './inquiries.js';
import { Inventory, resetOf } from './inventory.js';
import { type DaemonPhase, Life } from './life.js';
import { ListeningSockets } from './listening_sockets.js';
import type { Looks } from './looks.js';
import type { PlanPublisher } from './plan_publisher.js';
import type { PoolWatch } from './pool_watch.js';
import { Tallies } from './tallies.js';
import { sessionsOf, untilEmpty } from './until_empty.js';
import { Handover } from './upgrade/handover.js';
import type { Fleet } from './worker_fleet.js';

/** How long a worker may take to end what is left after the shutdown timeout. */
const LAST_CLOSE_MS = 2_000;

export class Daemon {
  readonly life: Life;
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
  readonly handover: Handover;
  readonly looks: Looks;
  readonly #deps: DaemonDeps;
  readonly #changes = new ChangeQueue();
  readonly #publisher: PlanPublisher;
  readonly #attendance: Attendance;
  readonly #adoption: Adoption;
  readonly #desires: Desires;
  readonly #defects: Defects;
  /** The file in use, and with what its sources have found. */
  #file: Spec;
  #spec: Spec;
  #stopped: Promise<{ readonly cut: number }> | null = null;

  constructor(spec: Spec, deps: DaemonDeps) {
    const { shared, log } = deps;
    this.#file = spec;
    this.#deps = deps;
    this.life = new Life(deps.clock);
    this.#desires = new Desires(spec, deps.overrides, { ...deps, keep: deps.keepOverrides });
    this.#spec = this.#desires.with({}).spec;
    this.#defects = defectsOf(deps);
    this.sockets = new ListeningSockets(deps.kernel, deps.workers, meansOf(deps));
    const tallies = new Tallies(shared.series, deps.clock);
    this.inventory = new Inventory(resetOf(shared), tallies);
    this.lists = new AccessLists({ ...deps, changes: this.#changes });
    const deputies = new Deputies(deps.workers);
    this.#publisher = publisherOf(this, deps, deputies, () => this.#spec.log.access);
    this.#attendance = new Attendance({ ...deps, ...shared, deputies, publisher: this.#publisher });
    this.inquiries = new Inquiries({ ...deps, fleet: () => this.fleet });
    this.fleet = fleetOf(this, deps, this.#attendance, this.#publisher);
    this.watch = watchOf(this, deps);
    this.evenness = new EvennessWatch({ ...shared, inventory: this.inventory });
    this.board = boardOf(this, deps, (entry) => this.#adoption.emptied(entry));
    const own = { changes: this.#changes, publisher: this.#publisher };
    this.#adoption = adoptionOf(this, deps, {
      ...own,
      inUse: (used) => {
        this.#spec = used;
        log.configure(used.log);
      },
    });
    this.discoveries = discoveriesOf(this, deps, () => this.#followSources());
    const changing = { ...own, desires: this.#desires, adoption: this.#adoption };
    this.handover = new Handover({ ...deps, ...changing, daemon: this });
    this.looks = looksOf(this, deps, this.#adoption, (nowMs) => this.#look(nowMs));
  }

  get spec(): Spec {
    return this.#spec;
  }

  get phase(): DaemonPhase {
    return this.life.phase;
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
    tellInherited(this.#deps);
    this.looks.begin();
    this.#resolveAgain();
    this.lists.watch({
      isServing: () => this.life.serves,
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
  get desires(): DesiresNow {
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
    change: (sources: DesiredSources) => Result<readonly Override[], Refusal>,
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
    this.life.stop();
    this.#deps.sockets?.leave();
    this.discoveries.stop();
    this.#changes.overrule();
  }

  /** Stops accepting, lets sessions finish, closes the rest at `shutdown_timeout`. */
  stop(): Promise<{ readonly cut: number }> {
    this.announceStop();
    this.#stopped ??= this.#changes.stop(() => this.#end());
    return this.#stopped;
  }

  endAllSessions(cause: Cause): void {
    const how = { cause, spanMs: 0, limit: null, order: 'final' } as const;
    this.fleet.broadcast({ kind: 'end-sessions', backend: null, ...how });
  }

  /** TCP sessions and UDP flows that are not over, of all listeners or of one. */
  sessions(listener: string | null = null): number {
    return sessionsOf(this.inventory, this.#deps.shared.ledger, listener);
  }

  async #begin(): Promise<Result<null, Refusal>> {
    const reading = this.lists.read(this.#file);
    await this.#changes.unlessOverruled(this.fleet.open(this.#deps.workers));
    const lists = await reading;
    if (!lists.ok) return lists;
    const adopted = await this.#adoptFile(this.#file, lists.value);
    if (this.#changes.overruled) return err(OVERRULED);
    if (adopted.ok) this.life.serve();
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
    discoveries.take(file);
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
    const startTells = this.phase === 'starting';
    if (!startTells) this.#deps.log.event('discovery-refused', { problems: followed.error });
    return 'refused';
  }

  async #end(): Promise<{ readonly cut: number }> {
    const { clock, timers } = this.#deps;
    const { shutdownTimeoutMs } = this.#spec.daemon;
    const untilMs = clock.nowMs() + shutdownTimeoutMs;
    // A worker that was lost in this moment applies no plan for a while.
    const patience = new Promise<void>((resolve) => timers.after(shutdownTimeoutMs, resolve));
    // Else the workers have left all sockets.
    if (!this.handover.isDone) await this.#adoption.leaveAll(this.#spec, patience);
    await this.#emptied(untilMs);
    const cut = this.sessions();
    if (cut > 0) {
      this.endAllSessions('shutdown');
      await this.#emptied(clock.nowMs() + LAST_CLOSE_MS);
    }
    await this.#close();
    return { cut };
  }

  #look(nowMs: number): void {
    this.board.look(nowMs);
    this.watch.lookAgain();
    this.evenness.look(nowMs);
    this.#defects.flush(nowMs);
    this.#attendance.look(nowMs);
    this.fleet.check();
    if (this.#desires.isDue) void this.override(({ overrides }) => ok(overrides));
    if (this.#adoption.listenersLeave)
      void this.#changes.run(() => this.#adoption.releaseListeners());
  }

  #resolveAgain(): void {
    const { timers, clock } = this.#deps;
    timers.after(untilTogether(clock.nowMs()), () => {
      if (!this.life.serves) return;
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
