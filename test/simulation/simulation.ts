/**
 * The whole balancer without sockets, threads or real time: the real daemon, data planes, health
 * checker and ledger over fake engines, one clock and one seed. Each step lets something happen
 * outside and inside, and then everything that must hold is looked at.
 */

import { Daemon } from '../../src/control/daemon.js';
import { NOTHING_KEPT } from '../../src/control/daemon_deps.js';
import { divideDescriptors } from '../../src/control/descriptor_budget.js';
import type { BackendEntry } from '../../src/control/inventory.js';
import { createSharedState, type SharedState } from '../../src/control/shared_state.js';
import { assert } from '../../src/core/assert.js';
import type { BackendId, WorkerId } from '../../src/core/brand.js';
import { formatAddress } from '../../src/core/endpoint.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { FakeTime } from '../support/fake_time.js';
import { Clients } from './clients.js';
import { Dials } from './dials.js';
import {
  checkClients,
  checkEmpty,
  checkRest,
  checkStep,
  checkWell,
  type Scene,
} from './invariants.js';
import { Journal } from './journal.js';
import { SimFleet } from './sim_fleet.js';
import { SimSources } from './sim_sources.js';
import { Sourced } from './sourced.js';
import { SpecWriter } from './spec_writer.js';
import { Totals } from './totals.js';
import type { Heads } from './watched_ledger.js';
import { World } from './world.js';

/** The spans that specs have, at most. */
const MAX_SPREAD_MS = 1000;
/** Long enough for every idle timeout, drain and backlog. */
const CALM_MS = 40_000;
const REST_EVERY = 20;
/** Most of what a check costs. */
const CLIENTS_EVERY = 100;
const TOTALS_EVERY = 20;
const MAX_ROUNDS = 200;
/** An engine reports what has ended within three turns. */
const LAST_TURNS = 4;
/** Rows that are looked at in the end: more than a simulation ever uses at a time. */
const ROWS = 512;

export class Simulation {
  readonly journal: Journal;
  step = 0;
  readonly #random: Random;
  readonly #time = new FakeTime();
  readonly #world: World;
  readonly #writer: SpecWriter;
  readonly #clients: Clients;
  readonly #dials = new Dials();
  readonly #totals = new Totals();
  readonly #sources: SimSources;
  readonly #sourced: Sourced;
  readonly #heads: Heads = new Map();
  readonly #shared: SharedState;
  readonly #daemon: Daemon;
  readonly #dueMs = new Map<BackendEntry, number>();
  readonly #leftMs = new Map<BackendEntry, number>();
  #fleet: SimFleet | null = null;
  #changes = 0;
  /** How busy the clients are now; it changes, so that there are bursts and rests. */
  #rush = 2;

  constructor(seed: number, trace: (line: string) => void) {
    this.#random = seededRandom(seed);
    this.journal = new Journal(this.#time, trace);
    this.#sources = new SimSources(this.#time, this.#random, (line) => this.journal.note(line));
    this.#sourced = new Sourced(this.#sources);
    this.journal.onAccess = (record) => this.#sourced.note(record);
    this.#world = new World(this.#time, this.#random);
    this.#writer = new SpecWriter(this.#random);
    this.#clients = new Clients(this.#random, this.#world);
    const workers = 1 + below(this.#random, 3);
    // A third runs out of descriptors, so that listeners and flows wait for one another.
    const files = below(this.#random, 3) === 0 ? 250 + below(this.#random, 80) : 2600;
    // Sockets of a simulation have no descriptors: no reload is refused for want of them.
    const budget = { ...divideDescriptors(files, workers, 'node'), reload: files };
    this.#shared = createSharedState(workers, null, this.#random);
    this.#daemon = new Daemon(this.#writer.spec(), {
      ...NOTHING_KEPT,
      clock: this.#time,
      timers: this.#time,
      random: this.#random,
      lookup: async () => ({ kind: 'none', problem: 'names are not looked up here' }),
      createProbe: () => this.#world.probe(),
      createSource: (spec) => this.#sources.create(spec),
      createFleet: (deps) => this.#createFleet(workers, deps),
      kernel: null,
      shared: this.#shared,
      log: this.journal,
      counters: this.journal,
      engine: 'node',
      withouts: [],
      workers,
      budget,
    });
  }

  /** Rejects with what was broken. */
  async run(steps: number): Promise<void> {
    await this.#until(this.#daemon.start());
    for (this.step = 1; this.step <= steps; this.step++) {
      await this.#pass();
      this.#happen();
      this.#turn();
      this.#check();
      if (this.step % REST_EVERY === 0) await this.#rest();
    }
    if (below(this.#random, 2) === 0) await this.#calm();
    const { workers } = this.#scene();
    await this.#until(this.#daemon.stop());
    // Clients that never had a session are not waited for: their ends are still to be reported.
    for (let turn = 0; turn < LAST_TURNS; turn++) for (const worker of workers) worker.turn();
    checkEmpty({ ...this.#scene(), workers }, ROWS);
  }

  /** Time: mostly a little, sometimes much. */
  async #pass(): Promise<void> {
    const kind = below(this.#random, 50);
    const most = kind === 0 ? 2000 : kind < 5 ? 300 : 20;
    await this.#time.pass(below(this.#random, most));
  }

  #happen(): void {
    const { workers } = this.#fleetNow();
    if (below(this.#random, 100) === 0) this.#rush = below(this.#random, 5);
    for (const worker of workers) {
      for (let come = below(this.#random, 1 + this.#rush); come > 0; come--) {
        this.#clients.connect(worker);
      }
      if (below(this.#random, 2) === 0) this.#clients.datagram(worker);
      this.#clients.live(worker, 'usual');
    }
    this.#sources.happen();
    if (below(this.#random, 15) === 0) this.#changeWorld();
    if (below(this.#random, 25) === 0) this.#reload();
    if (below(this.#random, 200) === 0) this.#loseWorker();
    if (below(this.#random, 300) === 0) this.#daemon.endAllSessions('killed');
  }

  #changeWorld(): void {
    const backends = [...this.#daemon.inventory.backends()];
    const entry = backends[below(this.#random, backends.length)];
    if (entry === undefined) return;
    const address = formatAddress(entry.endpoint);
    this.#world.change(address);
    this.journal.note(`${address} is ${this.#world.mood(address)}`);
  }

  #reload(): void {
    this.journal.note('reload');
    this.#changes++;
    const spec = this.#writer.change();
    void this.#daemon.reload(spec).then((result) => {
      this.#changes--;
      if (result.ok) this.#sourced.adopted(spec);
      const overruled = this.#daemon.phase === 'stopping';
      assert(result.ok || overruled, 'a reload of the simulation binds nothing that could fail');
    });
  }

  #loseWorker(): void {
    const fleet = this.#fleetNow();
    const worker = below(this.#random, fleet.size) as WorkerId;
    this.journal.note(`worker ${worker} is lost`);
    fleet.lose(worker);
  }

  /** Workers take their turns, not all of them each time; then the main thread does. */
  #turn(): void {
    const fleet = this.#fleetNow();
    for (const worker of fleet.workers) if (below(this.#random, 5) > 0) worker.turn();
    fleet.hear();
  }

  /** Lets everything that is under way come to its end, while nothing happens outside. */
  async #rest(): Promise<void> {
    const fleet = this.#fleetNow();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      for (const worker of fleet.workers) worker.turn();
      fleet.hear();
      await this.#time.pass(0);
      if (round > 2 && !fleet.workers.some(({ isRung }) => isRung)) break;
    }
    this.#check();
    checkRest(this.#scene());
  }

  /** No client comes any more and all backends are well: everything ends by itself. */
  async #calm(): Promise<void> {
    this.journal.note('calm');
    this.#world.heal();
    this.#sources.heal();
    const untilMs = this.#time.nowMs() + CALM_MS;
    while (this.#time.nowMs() < untilMs) {
      await this.#time.pass(50);
      for (const worker of this.#fleetNow().workers) this.#clients.live(worker, 'last');
      this.#turn();
      this.#check();
    }
    await this.#rest();
    checkEmpty(this.#scene(), ROWS);
    checkWell(this.#scene());
  }

  async #until(done: Promise<unknown>): Promise<void> {
    const ended: unknown[] = [];
    const end = done.then((result) => ended.push(result));
    for (let round = 0; ended.length === 0 && round < 2000; round++) {
      await this.#time.pass(10);
      for (const worker of this.#fleetNow().workers) this.#clients.live(worker, 'patient');
      this.#turn();
      this.#check();
    }
    assert(ended.length > 0, 'the daemon does not come to an end with a start or a stop');
    await end;
  }

  #check(): void {
    this.#noteDrains();
    this.journal.check();
    checkStep(this.#scene());
    this.#sourced.check(this.#scene(), this.#daemon.spec);
    if (this.step % TOTALS_EVERY === 0) this.#totals.check(this.#scene());
    if (this.step % CLIENTS_EVERY === 0) checkClients(this.#scene());
  }

  #noteDrains(): void {
    const leaving = new Set<BackendEntry>();
    for (const entry of this.#daemon.inventory.backends()) {
      if (entry.tenure === 'kept') continue;
      leaving.add(entry);
      const limitMs = entry.pool.spec.drainTimeoutMs + MAX_SPREAD_MS;
      if (this.#dueMs.has(entry)) continue;
      this.#leftMs.set(entry, this.#time.nowMs());
      this.#dueMs.set(entry, this.#time.nowMs() + limitMs);
    }
    for (const entry of [...this.#dueMs.keys()].filter((one) => !leaving.has(one))) {
      this.#dueMs.delete(entry);
      this.#leftMs.delete(entry);
    }
  }

  #scene(): Scene {
    return {
      nowMs: this.#time.nowMs(),
      inventory: this.#daemon.inventory,
      shared: this.#shared,
      workers: this.#fleetNow().workers,
      changing: this.#changes > 0,
      dueMs: this.#dueMs,
      leftMs: this.#leftMs,
      tried: (pair) => this.#dials.of(pair),
    };
  }

  #createFleet(workers: number, control: ConstructorParameters<typeof SimFleet>[1]): SimFleet {
    const shared = this.#shared;
    const fleet = new SimFleet(
      {
        workers,
        shared,
        time: this.#time,
        random: this.#random,
        heads: this.#heads,
        poolOf: (backend) => this.#poolOf(backend),
        made: (worker) => this.#dials.watch(worker),
      },
      control,
    );
    this.#fleet = fleet;
    return fleet;
  }

  #poolOf(backend: BackendId) {
    for (const entry of this.#daemon.inventory.backends()) {
      if (entry.id === backend) return entry.pool.id;
    }
    throw new Error(`backend ${backend} is in no pool`);
  }

  #fleetNow(): SimFleet {
    assert(this.#fleet !== null, 'the daemon has made its fleet');
    return this.#fleet;
  }
}
