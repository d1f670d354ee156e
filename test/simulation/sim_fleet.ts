/**
 * The workers as the daemon sees them, without threads: messages wait until a worker's turn, and
 * what workers say waits until the main thread's. A worker can be lost like a thread that died.
 */

import type { Fleet, FleetDeps } from '../../src/control/worker_fleet.js';
import type { FromWorker, ToWorker } from '../../src/control/worker_protocol.js';
import type { WorkerId } from '../../src/core/brand.js';
import { below, type Random } from '../../src/core/random.js';
import type { FakeTime } from '../support/fake_time.js';
import { SimWorker, type SimWorkerDeps } from './sim_worker.js';

interface Seat {
  worker: SimWorker;
  state: 'starting' | 'serving';
}

export interface SimFleetDeps extends Omit<SimWorkerDeps, 'worker' | 'post' | 'ring'> {
  readonly time: FakeTime;
  readonly random: Random;
  /** A worker was made, at the start or in place of a lost one. */
  readonly made: (worker: SimWorker) => void;
}

export class SimFleet implements Fleet {
  readonly #deps: SimFleetDeps;
  readonly #control: FleetDeps;
  readonly #seats: Seat[] = [];
  readonly #said: { readonly seat: Seat; readonly from: WorkerId; readonly message: FromWorker }[] =
    [];

  constructor(deps: SimFleetDeps, control: FleetDeps) {
    this.#deps = deps;
    this.#control = control;
  }

  get size(): number {
    return this.#seats.length;
  }

  /** Those that run. */
  get workers(): SimWorker[] {
    return this.#seats.filter(({ state }) => state === 'serving').map(({ worker }) => worker);
  }

  ids(): WorkerId[] {
    return this.#seats.map((_, id) => id as WorkerId);
  }

  async open(count: number): Promise<void> {
    for (let id = 0; id < count; id++) this.#seat(id as WorkerId).state = 'serving';
  }

  send(worker: WorkerId, ...messages: readonly ToWorker[]): void {
    for (const one of messages) this.#seats[worker]?.worker.send(structuredClone(one));
  }

  broadcast(message: ToWorker): void {
    for (const worker of this.ids()) this.send(worker, message);
  }

  ringAll(): void {
    for (const { worker } of this.#seats) worker.ring();
  }

  serving(): number {
    return this.workers.length;
  }

  stuck(): readonly string[] {
    return [];
  }

  problems(): readonly string[] {
    return [];
  }

  check(): void {}

  async close(): Promise<void> {
    this.#seats.length = 0;
  }

  /** The thread of `id` dies: its sessions are gone, its counts come back, another one starts. */
  lose(id: WorkerId): void {
    const seat = this.#seats[id];
    if (seat?.state !== 'serving') return;
    this.hear();
    const fresh = this.#seat(id);
    this.#control.events.lost(id, 'the simulation took it away');
    this.#deps.time.after(below(this.#deps.random, 300), () => {
      if (this.#seats[id] !== fresh) return;
      fresh.state = 'serving';
      this.#control.events.replaced(id);
    });
  }

  /** The main thread reads what the workers have said. */
  hear(): void {
    for (const { seat, from, message } of this.#said.splice(0)) {
      if (this.#seats[from] === seat) this.#control.events.message(from, message);
    }
  }

  #seat(id: WorkerId): Seat {
    const worker: SimWorker = new SimWorker({
      ...this.#deps,
      worker: id,
      post: (message) => {
        this.#said.push({ seat, from: id, message: structuredClone(message) });
      },
      ring: (other) => this.#seats[other]?.worker.ring(),
    });
    const seat: Seat = { worker, state: 'starting' };
    this.#seats[id] = seat;
    this.#deps.made(worker);
    return seat;
  }
}
