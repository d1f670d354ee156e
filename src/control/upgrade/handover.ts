/** What a daemon does when another process takes its place, and what it takes back if none does. */
import type { Endpoint } from '../../core/endpoint.js';
import type { Result } from '../../core/result.js';
import type { LineChannel } from '../../system/line_channel.js';
import type { Adoption } from '../adoption.js';
import { type ChangeQueue, type Refusal, SUCCEEDED } from '../change_queue.js';
import type { Daemon } from '../daemon.js';
import type { DaemonDeps } from '../daemon_deps.js';
import type { Desires } from '../desired/desires.js';
import type { Override } from '../desired/override.js';
import { type HandedSocket, socketName } from '../kept_sockets.js';
import type { PlanPublisher } from '../plan_publisher.js';
import type { MadeSocket } from '../socket_maker.js';
import { Elsewhere } from './elsewhere.js';
import { GivingAway } from './giving_away.js';
import { untilLeft } from './leaving.js';
import type { LeaverOrder } from './orders.js';
import type { Channel } from './state_parts.js';
import { type Knowledge, Telling } from './telling.js';

export interface HandoverDeps
  extends Pick<DaemonDeps, 'clock' | 'timers' | 'sockets' | 'passed' | 'shared'> {
  readonly changes: ChangeQueue;
  readonly publisher: PlanPublisher;
  readonly adoption: Pick<Adoption, 'restate'>;
  readonly desires: Desires;
  readonly daemon: Pick<
    Daemon,
    | 'life'
    | 'inventory'
    | 'sockets'
    | 'board'
    | 'watch'
    | 'discoveries'
    | 'fleet'
    | 'sessions'
    | 'endAllSessions'
    | 'defect'
  >;
}

export class Handover {
  /** What processes before this one still have. */
  readonly elsewhere: Elsewhere;
  readonly #deps: HandoverDeps;
  #state: 'serving' | 'handed over' = 'serving';
  #giving: GivingAway | null = null;
  /** Overrides of the other process are followed in their order. */
  #followed: Promise<unknown> = Promise.resolve();

  constructor(deps: HandoverDeps) {
    this.#deps = deps;
    const { inventory } = deps.daemon;
    this.elsewhere = new Elsewhere({ ...deps.shared, inventory, ring: () => this.#ring() });
  }

  /** Another process serves. */
  get isDone(): boolean {
    return this.#state === 'handed over';
  }

  /** What the other process is sent of the state of this one. */
  tell(channel: Channel, knowledge: Knowledge): Telling {
    return new Telling(channel, knowledge, this.#deps);
  }

  /** Nothing else changes while `work` hands this process's place over. */
  exclusively<T>(work: () => Promise<Result<T, Refusal>>): Promise<Result<T, Refusal>> {
    return this.#deps.changes.run(work);
  }

  /** Resolves when a stop begins. */
  get overruled(): Promise<void> {
    return this.#deps.changes.whenOverruled;
  }

  /** Why no other process can be given the sockets; null: one can. */
  get obstacle(): string | null {
    const all = [...this.#deps.daemon.sockets.all()].map(({ opened }) => opened);
    return all.every(({ descriptors }) => descriptors !== null)
      ? null
      : 'workers bind by themselves, because foreign calls do not work here';
  }

  /** The listening sockets, for another process. */
  get sockets(): readonly HandedSocket[] {
    const found = new Map<MadeSocket, Endpoint>();
    for (const { opened, local } of this.#deps.daemon.sockets.all()) {
      // Those of a socket unit are duplicates; what systemd has passed itself is handed over.
      if (opened.activation === null) found.set(opened, local);
    }
    const own = [...found].flatMap(([{ descriptors, protocol }, local]) =>
      (descriptors ?? []).map((fd) => ({ fd, name: socketName(protocol, local) })),
    );
    return [...own, ...this.#deps.passed.handed];
  }

  /** Workers accept nothing more; clients wait in the sockets, which stay open. */
  yieldSockets(): Promise<void> {
    return this.#publish('another process');
  }

  /**
   * Caps are the next process's from now on, but for what this one still uses: that is reported.
   */
  giveAway(channel: LineChannel): GivingAway {
    const { daemon, shared, timers } = this.#deps;
    const { inventory } = daemon;
    this.elsewhere.standStill();
    const ring = (): void => this.#ring();
    this.#giving = new GivingAway(channel, { ...shared, inventory, timers, ring });
    return this.#giving;
  }

  takeSocketsBack(): Promise<void> {
    return this.#publish('this process');
  }

  /**
   * The overrides of the process that serves hold for what is left here, too, so that sessions that
   * wait here in a held pool are released with it.
   */
  follow(overrides: readonly Override[]): void {
    const { desires, adoption, daemon } = this.#deps;
    const follow = async (): Promise<void> => {
      const desired = desires.following(overrides);
      this.#giving?.capsBecome(desired.spec.pools);
      await adoption.restate(desired.spec);
      desires.followed(desired);
    };
    this.#followed = this.#followed.then(follow).catch((error) => daemon.defect(error));
  }

  /** No probe runs here any more: sessions that wait choose by those of the process that serves. */
  followVerdict({ pool, backend, state }: Extract<LeaverOrder, { kind: 'verdict' }>): void {
    const { daemon, shared } = this.#deps;
    const entry = daemon.inventory.pools.get(pool)?.backends.get(backend);
    if (entry === undefined) return;
    shared.ledger.setHealth(entry.id, state);
    this.#ring();
  }

  #ring(): void {
    this.#deps.daemon.fleet.ringAll();
  }

  #publish(owner: PlanPublisher['owner']): Promise<void> {
    const { publisher, changes } = this.#deps;
    publisher.owner = owner;
    return changes.unlessOverruled(publisher.publish());
  }

  /**
   * Resolves when the sessions of this process have ended. Its sockets close at once, and stay what
   * they are for the other one, paths too, but for those that it has not asked for; workers keep
   * those that owe a reply to a flow for a while. So clients are refused when the other one ends,
   * however long sessions last here.
   */
  async finish(telling: Telling, unasked: readonly string[]): Promise<void> {
    telling.keepCounting();
    const { daemon, changes, desires, sockets, passed } = this.#deps;
    this.#state = 'handed over';
    daemon.life.stop();
    sockets?.handOver(unasked);
    daemon.sockets.closeAll();
    passed.handOver();
    daemon.discoveries.stop();
    changes.overrule(SUCCEEDED);
    await daemon.board.stop();
    await untilLeft({
      ...this.#deps,
      inventory: daemon.inventory,
      sessions: () => daemon.sessions(),
      look: () => {
        if (desires.isDue) this.follow(desires.overrides);
      },
      endAt: (backend, spanMs) => {
        const how = { cause: 'drained', spanMs, limit: null, order: 'final' } as const;
        daemon.fleet.broadcast({ kind: 'end-sessions', backend, ...how });
      },
      endAll: () => daemon.endAllSessions('drained'),
    });
    await telling.finish();
  }
}
