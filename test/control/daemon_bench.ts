/**
 * The real daemon (queue, adoption, inventory, sockets, board) over workers that only keep plans,
 * on a clock that the test moves. Foreign calls, messages and lookups can be made to fail.
 */

import { fstatSync, readdirSync } from 'node:fs';
import { Daemon } from '../../src/control/daemon.js';
import { type KeptState, NOTHING_KEPT } from '../../src/control/daemon_deps.js';
import { divideDescriptors } from '../../src/control/descriptor_budget.js';
import { createSharedState, type SharedState } from '../../src/control/shared_state.js';
import type { Fleet, FleetDeps } from '../../src/control/worker_fleet.js';
import type { ToWorker } from '../../src/control/worker_protocol.js';
import type { WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { Plan } from '../../src/core/plan.js';
import { seededRandom } from '../../src/core/random.js';
import type { Spec } from '../../src/core/spec.js';
import { createSource } from '../../src/discovery/registry.js';
import type { Probe } from '../../src/health/probe.js';
import type { Kernel, Libc } from '../../src/kernel/foreign.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import type { EventName } from '../../src/observe/events.js';
import type { Log } from '../../src/observe/log.js';
import { FakeTime } from '../support/fake_time.js';
import { PlanCopy } from '../support/plan_copy.js';
import { NO_COUNTERS } from './fixtures.js';

export const WORKERS = 2;
const OPEN_FILES = 4096;

/** Called before each step that may fail; what it throws or answers is the step's failure. */
export type Fault = (seam: Seam, name: string) => number | undefined;
export type Seam = 'kernel' | 'message' | 'probe' | 'event';

export interface Told {
  readonly event: EventName;
  readonly [field: string]: unknown;
}

export interface DaemonBench {
  readonly daemon: Daemon;
  readonly time: FakeTime;
  readonly fleet: FakeFleet;
  readonly shared: SharedState;
  readonly events: Told[];
  /** Nothing fails by default. */
  fault: Fault;
}

/** The hosts that a name leads to, if the name server says so. */
export type NameServer = (name: string) => Promise<readonly string[]>;
const NO_NAMES: NameServer = async () => [];

export function daemonBench(
  spec: Spec,
  names: NameServer = NO_NAMES,
  kept: Partial<KeptState> = {},
): DaemonBench {
  const time = new FakeTime();
  const shared = createSharedState(WORKERS, null, seededRandom(1));
  const events: Told[] = [];
  const step: Fault = (seam, name) => bench.fault(seam, name);
  const log: Log = {
    event: (event, fields) => {
      step('event', event);
      events.push({ ...fields, event });
    },
    access: () => {},
    configure: () => {},
    flush: async () => {},
  };
  let fleet: FakeFleet | null = null;
  const daemon = new Daemon(spec, {
    ...NOTHING_KEPT,
    ...kept,
    clock: time,
    timers: time,
    random: { next: () => 0.5 },
    createProbe: (): Probe => {
      step('probe', 'createProbe');
      return { attempt: async () => ({ ok: true, share: 1, note: '' }) };
    },
    createSource,
    createFleet: (deps) => {
      fleet = new FakeFleet(deps, step);
      return fleet;
    },
    lookup: async (name) => {
      const hosts = await names(name);
      if (hosts.length === 0) return { kind: 'none', problem: 'it has no address' };
      return {
        kind: 'found',
        addresses: hosts.map((host) => ipEndpoint(4, host, 0)),
        unroutable: [],
      };
    },
    kernel: failingKernel(step),
    shared,
    log,
    counters: NO_COUNTERS,
    engine: 'node',
    withouts: [],
    workers: WORKERS,
    budget: divideDescriptors(OPEN_FILES, WORKERS, 'node'),
  });
  if (fleet === null) throw new Error('a daemon has a fleet');
  const bench: DaemonBench = { daemon, time, fleet, shared, events, fault: () => undefined };
  return bench;
}

/**
 * Workers that keep the newest plan, and acknowledge it in a later turn, unless they are dead. What
 * a plan names must be open when it is applied.
 */
export class FakeFleet implements Fleet {
  readonly plans: (Plan | null)[] = [];
  /** Of each plan that was sent: how many listeners it has. */
  readonly listenersSent: number[] = [];
  readonly #deps: FleetDeps;
  readonly #step: Fault;
  readonly #dead = new Set<WorkerId>();
  readonly #sent = new Map<WorkerId, PlanCopy>();
  #state: 'closed' | 'open' = 'closed';

  constructor(deps: FleetDeps, step: Fault) {
    this.#deps = deps;
    this.#step = step;
  }

  get size(): number {
    return this.plans.length;
  }

  ids(): WorkerId[] {
    return this.plans.map((_, worker) => worker as WorkerId);
  }

  async open(count: number): Promise<void> {
    for (let worker = 0; worker < count; worker++) this.plans[worker] = null;
    this.#state = 'open';
  }

  send(worker: WorkerId, ...messages: readonly ToWorker[]): void {
    for (const message of messages) this.#take(worker, message);
  }

  #take(worker: WorkerId, message: ToWorker): void {
    this.#step('message', message.kind);
    if (message.kind !== 'plan') return;
    const sent = this.#sent.get(worker) ?? new PlanCopy();
    this.#sent.set(worker, sent);
    sent.take(message.part);
    if (message.part.kind !== 'done') return;
    const { plan } = sent;
    this.listenersSent.push(plan.listeners.length);
    if (this.#dead.has(worker) || this.#state === 'closed') return;
    setImmediate(() => {
      if (this.#dead.has(worker)) return;
      this.plans[worker] = plan;
      for (const { source } of plan.listeners.flatMap(({ sockets }) => sockets)) {
        if (source.kind === 'descriptor') fstatSync(source.fd);
      }
      this.#deps.events.message(worker, { kind: 'applied', version: plan.version });
    });
  }

  broadcast(message: ToWorker): void {
    for (const worker of this.ids()) this.send(worker, message);
  }

  ringAll(): void {}

  serving(): number {
    return this.size - this.#dead.size;
  }

  problems(): readonly string[] {
    return [];
  }

  stuck(): readonly string[] {
    return [];
  }

  /** Those that live show it. */
  check(): void {
    const { vitals, clock } = this.#deps;
    for (const worker of this.ids())
      if (!this.#dead.has(worker)) vitals.beat(worker, clock.nowMs());
  }

  /** As the real one: another one takes its place after a while. */
  lose(worker: WorkerId, replacedAfterMs: number): void {
    if (this.#dead.has(worker) || this.#state === 'closed') return;
    this.#dead.add(worker);
    this.#sent.delete(worker);
    this.#deps.events.lost(worker, 'for tests');
    this.#deps.timers.after(replacedAfterMs, () => {
      if (this.#state === 'closed') return;
      this.#dead.delete(worker);
      this.#deps.events.replaced(worker);
    });
  }

  isDead(worker: WorkerId): boolean {
    return this.#dead.has(worker);
  }

  async close(): Promise<void> {
    this.#state = 'closed';
  }
}

/** The real one, each call of which may be answered by the fault instead. */
function failingKernel(step: Fault): Kernel | null {
  const loaded = loadKernel();
  if (!loaded.ok) return null;
  const { libc, view } = loaded.value;
  const failing = new Proxy(libc, {
    get: (whole, name: string & keyof Libc) => {
      const call = whole[name];
      if (typeof call !== 'function' || name === 'close') return call;
      return (...values: unknown[]): number =>
        step('kernel', name) ?? (call as (...values: unknown[]) => number)(...values);
    },
  });
  return { libc: failing, view };
}

export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
