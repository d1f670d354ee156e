/** Sends every worker the newest plan, and knows when all have applied it. */
import type { WorkerId } from '../core/brand.js';
import type { AccessLevel, EngineName } from '../core/spec.js';
import { type Deputies, takenOver } from './deputies.js';
import type { Inventory, ListenerEntry } from './inventory.js';
import type { ListeningSockets } from './listening_sockets.js';
import { PlanAcks } from './plan_acks.js';
import { drawPlan, type PlannedSocket } from './planner.js';
import type { ToWorker } from './worker_protocol.js';

export interface PlanPublisherDeps {
  readonly workers: number;
  readonly engine: EngineName;
  readonly inventory: Inventory;
  readonly sockets: ListeningSockets;
  readonly deputies: Deputies;
  readonly sessionBudget: number;
  readonly access: () => AccessLevel;
  readonly send: (worker: WorkerId, message: ToWorker) => void;
}

export class PlanPublisher {
  readonly #deps: PlanPublisherDeps;
  readonly #acks: PlanAcks;
  /** By worker: plans that were sent and not applied yet. */
  readonly #underWay: number[] = [];
  #version = 0;

  constructor(deps: PlanPublisherDeps) {
    this.#deps = deps;
    this.#acks = new PlanAcks(deps.workers);
  }

  /** Sends a new plan to every worker; resolves when all that have a thread have applied it. */
  async publish(): Promise<void> {
    this.#version++;
    for (let worker = 0; worker < this.#deps.workers; worker++) this.sendTo(worker as WorkerId);
    await this.#acks.reached(this.#version);
  }

  /**
   * What the newest plan is to `worker` now. One that has no thread is sent nothing: it would find
   * descriptors in it that are closed when it starts.
   */
  sendTo(worker: WorkerId): void {
    if (!this.#acks.isHere(worker)) return;
    const { inventory, sessionBudget, access, send } = this.#deps;
    const plan = drawPlan(inventory, worker, {
      version: this.#version,
      access: access(),
      sessionBudget,
      sockets: (entry, id) => this.#socketsFor(entry, id),
    });
    this.#underWay[worker] = (this.#underWay[worker] ?? 0) + 1;
    send(worker, { kind: 'plan', plan });
  }

  applied(worker: WorkerId, version: number): void {
    this.#underWay[worker] = Math.max(0, (this.#underWay[worker] ?? 0) - 1);
    this.#acks.acknowledge(worker, version);
  }

  /** The worker was sent a plan that it has not applied yet. */
  awaits(worker: WorkerId): boolean {
    return (this.#underWay[worker] ?? 0) > 0;
  }

  /** The thread of `worker` is gone: nobody waits for it. */
  leaves(worker: WorkerId): void {
    this.#underWay[worker] = 0;
    this.#acks.leaves(worker);
  }

  /** `worker` has a new thread, which gets the newest plan. */
  joins(worker: WorkerId): void {
    this.#acks.joins(worker);
    this.sendTo(worker);
  }

  /** Its own, and those of the workers whose deputy it is. */
  #socketsFor({ key, spec }: ListenerEntry, worker: WorkerId): readonly PlannedSocket[] {
    const { sockets, deputies, engine } = this.#deps;
    const { protocol } = spec;
    const others = deputies
      .chargesOf(worker, protocol)
      .flatMap((charge) => takenOver(sockets.planned(key, spec, charge), protocol, engine));
    return [...sockets.planned(key, spec, worker), ...others];
  }
}
