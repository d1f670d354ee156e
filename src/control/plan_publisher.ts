/** Sends every worker the newest plan, and knows when all have applied it. */
import type { WorkerId } from '../core/brand.js';
import type { AccessLevel } from '../core/spec.js';
import type { Inventory } from './inventory.js';
import type { ListeningSockets } from './listening_sockets.js';
import { PlanAcks } from './plan_acks.js';
import { drawPlan } from './planner.js';
import type { ToWorker } from './worker_protocol.js';

export interface PlanPublisherDeps {
  readonly workers: number;
  readonly inventory: Inventory;
  readonly sockets: ListeningSockets;
  readonly sessionBudget: number;
  readonly access: () => AccessLevel;
  readonly send: (worker: WorkerId, message: ToWorker) => void;
}

export class PlanPublisher {
  readonly #deps: PlanPublisherDeps;
  readonly #acks: PlanAcks;
  #version = 0;

  constructor(deps: PlanPublisherDeps) {
    this.#deps = deps;
    this.#acks = new PlanAcks(deps.workers);
  }

  /** Sends a new plan to every worker; resolves when all have applied it. */
  async publish(): Promise<void> {
    this.#version++;
    for (let worker = 0; worker < this.#deps.workers; worker++) this.sendTo(worker as WorkerId);
    await this.#acks.reached(this.#version);
  }

  /** The newest plan again, for a worker that took the place of another one. */
  sendTo(worker: WorkerId): void {
    const { inventory, sockets, sessionBudget, access, send } = this.#deps;
    const plan = drawPlan(inventory, worker, {
      version: this.#version,
      access: access(),
      sessionBudget,
      sockets: (entry, id) => sockets.planned(entry.key, entry.spec, id),
    });
    send(worker, { kind: 'plan', plan });
  }

  applied(worker: WorkerId, version: number): void {
    this.#acks.acknowledge(worker, version);
  }
}
