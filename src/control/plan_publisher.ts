/** Sends every worker what is new in the newest plan, and knows when all have applied it. */
import type { ListenerId, WorkerId } from '../core/brand.js';
import type { Plan, PlanPart, PoolPlan, SocketPlan } from '../core/plan.js';
import type { AccessLevel, EngineName } from '../core/spec.js';
import type { AccessLists } from './access_lists.js';
import { type Deputies, socketsTakenOver } from './deputies.js';
import type { Inventory, ListenerEntry } from './inventory.js';
import type { ListeningSockets } from './listening_sockets.js';
import { PlanAcks } from './plan_acks.js';
import { partsBetween, poolPartsBetween } from './plan_parts.js';
import { drawPlan, drawPools } from './planner.js';
import type { ToWorker } from './worker_protocol.js';

export interface PlanPublisherDeps {
  readonly workers: number;
  readonly engine: EngineName;
  readonly inventory: Inventory;
  readonly sockets: ListeningSockets;
  readonly deputies: Deputies;
  readonly sessionBudget: number;
  readonly access: () => AccessLevel;
  readonly lists: AccessLists;
  /** In this order; the worker is woken once. */
  readonly send: (worker: WorkerId, messages: readonly ToWorker[]) => void;
}

/** The newest plan, or nothing (null) before the first. */
type Known = Plan | null;

const NOTHING: readonly Known[] = [null];
const NO_POOLS: readonly PoolPlan[] = [];

export class PlanPublisher {
  /** Which process accepts clients: with the next plan the workers leave, or open, all sockets. */
  owner: 'this process' | 'another process' = 'this process';
  readonly #deps: PlanPublisherDeps;
  readonly #acks: PlanAcks;
  /** By worker: plans that were sent and not applied yet. */
  readonly #underWay: number[] = [];
  /** A worker could not open a socket of these: the next plan has it try again. */
  #failed = new Set<ListenerId>();
  /**
   * What each worker knows. More than one after a plan that could not be sent wholly: then the next
   * one leads there from any of them. Their lists of pools are the same object in all workers.
   */
  readonly #known = new Map<WorkerId, readonly Known[]>();
  /** What led from one list of pools to another: asked for once per worker. */
  #poolParts: {
    readonly from: readonly PoolPlan[];
    readonly to: readonly PoolPlan[];
    readonly parts: readonly PlanPart[];
  } | null = null;
  #version = 0;

  constructor(deps: PlanPublisherDeps) {
    this.#deps = deps;
    this.#acks = new PlanAcks(deps.workers);
  }

  /** Sends what is new to every worker; resolves when all that have a thread have applied it. */
  async publish(): Promise<void> {
    this.#version++;
    const pools = drawPools(this.#deps.inventory);
    const again = this.#failed;
    this.#failed = new Set();
    for (let worker = 0; worker < this.#deps.workers; worker++) {
      this.#lead(worker as WorkerId, pools, again);
    }
    this.#poolParts = null;
    await this.#acks.reached(this.#version);
  }

  /** What the newest plan is to `worker` now. */
  sendTo(worker: WorkerId): void {
    this.#lead(worker, drawPools(this.#deps.inventory), new Set());
    this.#poolParts = null;
  }

  /** A worker could not open a socket of `listener`. */
  failed(listener: ListenerId): void {
    this.#failed.add(listener);
  }

  applied(worker: WorkerId, version: number): void {
    this.#underWay[worker] = Math.max(0, (this.#underWay[worker] ?? 0) - 1);
    this.#acks.acknowledge(worker, version);
  }

  /** The worker was sent a plan that it has not applied yet. */
  awaits(worker: WorkerId): boolean {
    return (this.#underWay[worker] ?? 0) > 0;
  }

  /** The thread of `worker` is gone or as good as that: it is not waited for, and gets no plan. */
  leaves(worker: WorkerId): void {
    this.#underWay[worker] = 0;
    this.#known.delete(worker);
    this.#acks.leaves(worker);
  }

  /** `worker` has a new thread, which gets all of the newest plan. */
  joins(worker: WorkerId): void {
    this.#acks.joins(worker);
    this.sendTo(worker);
  }

  /**
   * One that has no thread is sent nothing: it would find descriptors in it that are closed when it
   * starts.
   */
  #lead(worker: WorkerId, pools: readonly PoolPlan[], again: ReadonlySet<ListenerId>): void {
    if (!this.#acks.isHere(worker)) return;
    const { inventory, sessionBudget, access, lists, send } = this.#deps;
    const plan = drawPlan(inventory, worker, {
      version: this.#version,
      access: access(),
      pools,
      sessionBudget,
      tableOf: (key) => lists.tableOf(key),
      denied: lists.denied,
      sockets: (entry, id) => this.#socketsFor(entry, id),
    });
    const known = this.#known.get(worker) ?? NOTHING;
    const parts = known.flatMap((one) => {
      return partsBetween(one, plan, again, this.#partsOf(one?.pools ?? NO_POOLS, pools));
    });
    this.#known.set(worker, [...known, plan]);
    this.#underWay[worker] = (this.#underWay[worker] ?? 0) + known.length;
    send(
      worker,
      parts.map((part) => ({ kind: 'plan', part })),
    );
    this.#known.set(worker, [plan]);
  }

  #partsOf(from: readonly PoolPlan[], to: readonly PoolPlan[]): readonly PlanPart[] {
    const found = this.#poolParts;
    if (found?.from === from && found.to === to) return found.parts;
    const parts = poolPartsBetween(from, to);
    this.#poolParts = { from, to, parts };
    return parts;
  }

  /** Its own, and those of the workers whose deputy it is. */
  #socketsFor({ key, spec }: ListenerEntry, worker: WorkerId): readonly SocketPlan[] {
    if (this.owner === 'another process') return [];
    const { sockets, deputies, engine } = this.#deps;
    const { protocol } = spec;
    const others = deputies
      .chargesOf(worker, protocol)
      .flatMap((charge) => socketsTakenOver(sockets.planned(key, spec, charge), protocol, engine));
    return [...sockets.planned(key, spec, worker), ...others];
  }
}
