/**
 * The data plane of one worker: an engine, the sessions on it and the pools they choose from, kept
 * in step with the newest plan. It runs on the worker's thread; a fake engine runs it in tests.
 */
import { present, unreachable } from '../core/assert.js';
import type { BackendId, ListenerId, PoolId } from '../core/brand.js';
import type { Directions, ListenerPlan, PlanPart, PoolPlan } from '../core/plan.js';
import { SessionIds } from '../core/session_ids.js';
import type { Engine } from '../engine/engine.js';
import { Pool } from '../pool/pool.js';
import { WaitQueue } from '../pool/wait_queue.js';
import type { TcpSessionsDeps } from '../session/tcp/deps.js';
import type { EndOrder } from '../session/tcp/ending.js';
import type { OpenedSocket } from '../session/tcp/listeners.js';
import { TcpSessions } from '../session/tcp/sessions.js';
import { WaitingSessions } from '../session/tcp/waiting.js';
import { TcpWall } from '../session/tcp/wall.js';
import { Ways } from '../session/tcp/ways.js';
import { UdpFlows } from '../session/udp/flows.js';
import { UdpWall } from '../session/udp/wall.js';
import { PoolPlans } from './pool_plans.js';

export interface DataPlaneDeps extends Omit<TcpSessionsDeps, 'engine' | 'clock' | 'ids'> {
  readonly engine: Engine;
  /** Resolves when sessions have had their turn, soon. */
  readonly turn: () => Promise<void>;
  /** This worker has ejected a backend. */
  readonly ejected: () => void;
}

export class DataPlane {
  readonly tcp: TcpSessions;
  readonly udp: UdpFlows;
  /** What the engine reports to. */
  readonly edges: { readonly tcp: TcpWall; readonly udp: UdpWall };
  readonly #deps: DataPlaneDeps;
  readonly #pools = new Map<PoolId, WaitingSessions>();
  #flows: 'keep' | 'gave back descriptors' = 'keep';
  readonly #plans = new PoolPlans();
  /** Listeners of the plan that is being applied which are new or different. */
  #coming: ReadonlySet<ListenerId> = new Set();

  constructor(deps: DataPlaneDeps) {
    this.#deps = deps;
    const { engine, worker } = deps;
    const { clock } = engine;
    const both = { ...deps, clock, ids: new SessionIds(worker, clock.wallMs()) };
    this.tcp = new TcpSessions({ ...both, engine: engine.tcp });
    const descriptorFreed = (): void => {
      this.#flows = 'gave back descriptors';
    };
    this.udp = new UdpFlows({ ...both, engine: engine.udp, descriptorFreed });
    this.edges = {
      tcp: new TcpWall(this.tcp, deps.internalError),
      udp: new UdpWall(this.udp),
    };
  }

  /**
   * Applies the next part of a plan; answers which sockets were opened and how that went. Between
   * two parts sessions go on: each part leaves everything fit to serve.
   */
  async apply(part: PlanPart): Promise<readonly OpenedSocket[]> {
    switch (part.kind) {
      case 'pools':
        for (const change of part.pools) await this.#applyPool(this.#plans.take(change));
        return [];
      case 'switch':
        await this.#switch(part);
        return [];
      case 'leaving':
        for (const id of part.listeners) this.udp.listeners.yield(id);
        this.#coming = new Set(part.coming);
        return [];
      case 'listeners': {
        await this.udp.listeners.giveWay(part.listeners, this.#coming);
        const opened: OpenedSocket[] = [];
        for (const plan of part.listeners) opened.push(...(await this.#applyListener(plan)));
        return opened;
      }
      case 'closing':
        for (const id of part.listeners) {
          this.tcp.listeners.remove(id);
          this.udp.listeners.remove(id);
        }
        return [];
      case 'done':
        this.#conclude(part);
        return [];
      default:
        return unreachable(part);
    }
  }

  /** With a limit, sessions are moved; flows move by themselves, with any datagram. */
  endSessions(ending: EndOrder): void {
    this.tcp.endSessions(ending);
    const { limit, ...how } = ending;
    if (limit === null) this.udp.endFlows(how);
  }

  /** What a drain of `backends` has not ended yet stays. */
  spareSessions(backends: readonly BackendId[]): void {
    const spared = new Set(backends);
    this.tcp.notices.takeBack(spared);
    this.udp.notices.takeBack(spared);
  }

  /** null: no plan has named it here yet. */
  pool(id: PoolId): Pool | null {
    return this.#pools.get(id)?.pool ?? null;
  }

  rung(): void {
    this.tcp.rung();
    this.udp.rung();
    this.#share();
  }

  /** Answers when it must be called again at the latest. */
  tick(nowMs: number): number {
    const nextMs = this.udp.tick(nowMs);
    this.#share();
    return Math.min(this.tcp.tick(nowMs), nextMs);
  }

  /** What flows gave back goes to TCP clients that wait; not within an edge of a flow. */
  #share(): void {
    if (this.#flows === 'keep') return;
    this.#flows = 'keep';
    this.tcp.listeners.descriptorsFreed();
  }

  #applyListener(plan: ListenerPlan): Promise<readonly OpenedSocket[]> {
    return plan.protocol === 'tcp'
      ? this.tcp.listeners.apply(plan, this.#waysOf(plan))
      : this.udp.listeners.apply(plan, this.#poolOf(plan));
  }

  #waysOf(directions: Directions): Ways {
    return new Ways(directions, (id) => this.#waiting(id));
  }

  /** Flows have no routes. */
  #poolOf({ pool }: Directions): Pool {
    return this.#waiting(present(pool, 'a listener for UDP has a pool')).pool;
  }

  #waiting(id: PoolId): WaitingSessions {
    return present(this.#pools.get(id), 'a plan has every pool that it leads to');
  }

  /** A large pool, or one with a hash table, goes over to its plan in several turns. */
  async #applyPool(plan: PoolPlan | null): Promise<void> {
    if (plan === null) return;
    const goOver = await this.#prepared(plan);
    goOver();
  }

  /** Everything that takes time first; then pools and sockets go over together. */
  async #switch({ pools, leads }: Extract<PlanPart, { kind: 'switch' }>): Promise<void> {
    const ready: (() => void)[] = [];
    for (const change of pools) {
      const plan = this.#plans.take(change);
      if (plan !== null) ready.push(await this.#prepared(plan));
    }
    for (const goOver of ready) goOver();
    for (const { listener, protocol, key, directions } of leads) {
      if (protocol === 'tcp') this.tcp.listeners.lead(listener, key, this.#waysOf(directions));
      else this.udp.listeners.lead(listener, key, this.#poolOf(directions));
    }
    this.tcp.choosing.followListeners();
  }

  async #prepared(plan: PoolPlan): Promise<() => void> {
    const { pool } = this.#pools.get(plan.id) ?? this.#addPool(plan);
    const preparing = pool.preparing(plan);
    for (;;) {
      const step = preparing.next();
      if (step.done === true) return step.value;
      await this.#deps.turn();
    }
  }

  /** Without backends so far. */
  #addPool(plan: PoolPlan): WaitingSessions {
    const { ledger, worker, workers, random } = this.#deps;
    const pool = new Pool(
      { ...plan, backends: [] },
      {
        ledger,
        worker,
        random,
        clock: this.#deps.engine.clock,
        freed: (id) => this.tcp.choosing.freed(id),
        ejected: this.#deps.ejected,
      },
    );
    const waiting = new WaitingSessions(pool, new WaitQueue(ledger, plan.id, worker, workers));
    this.#pools.set(plan.id, waiting);
    this.tcp.choosing.addPool(plan.id, waiting);
    return waiting;
  }

  #conclude({ access, pools }: Extract<PlanPart, { kind: 'done' }>): void {
    this.tcp.access = access;
    this.udp.access = access;
    this.tcp.choosing.followListeners();
    for (const id of pools) {
      this.#plans.forget(id);
      this.#pools.get(id)?.pool.close();
      this.#pools.delete(id);
      this.tcp.choosing.removePool(id);
    }
    this.rung();
  }
}
