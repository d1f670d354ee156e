/** Puts a daemon together from a Spec and this machine: engine, workers, shared memory, metrics. */
import { availableParallelism } from 'node:os';
import type { Clock, Timers } from '../core/clock.js';
import { ok, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import type { WireDial } from '../core/wire.js';
import { createSource } from '../discovery/registry.js';
import { checkEngines } from '../engine/checks.js';
import { type EngineChoice, selectEngine } from '../engine/select.js';
import { createProbe } from '../health/probes/registry.js';
import { descriptorDial } from '../kernel/descriptor_wire.js';
import { type Kernel, loadKernel } from '../kernel/foreign.js';
import { lookupHost } from '../names/host_lookup.js';
import type { Log } from '../observe/log.js';
import { createMetrics, type Metrics } from '../observe/metrics.js';
import type { ClientTable } from '../pool/client_table.js';
import type { Ledger } from '../pool/ledger.js';
import { cpuMs, systemClock } from '../system/clock.js';
import { addressSpaceLimit, descriptorLimit, lockedMemoryLimit } from '../system/limits.js';
import { livingClock, livingTimers } from '../system/living_clock.js';
import { nonce } from '../system/nonce.js';
import { systemRandom } from '../system/random.js';
import { systemTimers } from '../system/timers.js';
import { type BackendTraffic, backendTraffic } from './backend_traffic.js';
import { BackendDescriber } from './backend_views.js';
import { Daemon } from './daemon.js';
import { type KeptState, NOTHING_KEPT } from './daemon_deps.js';
import { DaemonMetrics } from './daemon_metrics.js';
import { DaemonViews } from './daemon_views.js';
import { divideDescriptors } from './descriptor_budget.js';
import { fitEngines } from './engine_fit.js';
import { LastHour, type LastHourDeps } from './last_hour.js';
import { NO_SHARING, portSharing } from './port_sharing.js';
import { createSharedState, type SharedState } from './shared_state.js';
import { fitAddressSpace, WANTED_DESCRIPTORS, workerCount } from './sizing.js';
import { tellingStandstills } from './standstills.js';
import { takeOverCounts } from './upgrade/counts.js';
import { WorkerFleet } from './worker_fleet.js';

/** Where the limit of open files is unknown (no Linux): what POSIX systems usually have. */
const USUAL_DESCRIPTORS = 1024;

/** Of work on a page of metrics, at least, before everything else has its turn. */
const STRETCH_MS = 8;

export interface Assembly {
  readonly daemon: Daemon;
  readonly metrics: Metrics;
  readonly views: DaemonViews;
  readonly lastHour: LastHour;
  /** What a backend has done so far. */
  readonly traffic: (pool: string, backend: string) => BackendTraffic;
  /** They wait for time in which the process ran. */
  readonly timers: Timers;
  /** Connections of the admin endpoints at the same time. */
  readonly adminConnections: number;
  /** null: foreign calls are not possible here. */
  readonly kernel: Kernel | null;
  readonly ledger: Ledger;
  readonly clients: ClientTable;
}

export interface About {
  readonly version: string;
  /** The configuration in use: the name of its text, and when it was read. */
  readonly config: () => { readonly hash: string; readonly readWallMs: number };
}

/** A daemon that is ready to start, or why it cannot run here. */
export function assemble(
  spec: Spec,
  log: Log,
  about: About,
  kept: KeptState = NOTHING_KEPT,
): Result<Assembly, string> {
  const loaded = loadKernel();
  const kernel = loaded.ok ? loaded.value : null;
  const sharing = portSharing(kernel);
  const workers = workerCount(spec.daemon.workers, availableParallelism(), sharing);
  const choice = chooseEngine(spec, workers);
  if (!choice.ok) return choice;
  const { engine, passedOver } = choice.value;
  const withouts = tellWhatIsMissing(log, choice.value);
  const detail = whyAlone(sharing, spec);
  log.event('engine-chosen', { engine, detail });
  const budget = divideDescriptors(allowedDescriptors(log), workers, engine);
  const shared = createSharedState(workers, kernel, systemRandom);
  const { clock, timers } = livingTime(shared, log);
  const source = new DaemonMetrics(shared, clock, {
    version: about.version,
    configHash: () => about.config().hash,
    engine,
  });
  const metrics = createMetrics(source, turns(systemClock));
  const means = { clock, timers, random: systemRandom, nonce, dial: dialOf(kernel, () => daemon) };
  const daemon: Daemon = new Daemon(spec, {
    ...kept,
    clock,
    timers,
    random: systemRandom,
    createProbe: (probe) => createProbe(probe, means),
    createSource,
    createFleet: (deps) => new WorkerFleet(deps),
    lookup: lookupHost,
    kernel,
    shared,
    log,
    counters: metrics,
    engine,
    withouts,
    workers,
    budget,
  });
  source.daemon = daemon;
  takeOverCounts(kept.handed, { tallies: daemon.inventory.tallies, metrics });
  const views = new DaemonViews({
    ...about,
    daemon,
    metrics,
    shared,
    clock,
    describe: new BackendDescriber(daemon, shared.ledger),
    engine,
    engineReason: detail ?? passedOver[0]?.cause ?? '',
  });
  const counted = countedOf(daemon, { ...shared, ...kept, clock, timers });
  return ok({ ...budget, ...shared, daemon, metrics, views, ...counted, timers, kernel });
}

function whyAlone(sharing: ReturnType<typeof portSharing>, { daemon }: Spec): string | null {
  const isAlone = sharing === 'impossible' && daemon.workers !== 1;
  return isAlone ? `one worker, because ${NO_SHARING}` : null;
}

/** What is read from the counters when a page or a command needs it. */
function countedOf(
  { inventory }: Daemon,
  parts: Pick<LastHourDeps, 'series' | 'clock' | 'timers' | 'handed'>,
): Pick<Assembly, 'lastHour' | 'traffic'> {
  const { tallies, pools } = inventory;
  return {
    lastHour: new LastHour({ ...parts, tallies, pools: () => pools.keys() }),
    traffic: (pool, backend) => backendTraffic(tallies, parts.series, pool, backend),
  };
}

/** The engine that the file wants, with room for its workers. */
function chooseEngine(spec: Spec, workers: number): Result<EngineChoice, string> {
  const checks = fitEngines(checkEngines(), workers, lockedBytes());
  const choice = selectEngine(spec.daemon.engine, checks);
  if (!choice.ok) return choice;
  const limitBytes = addressSpaceLimit()?.soft ?? null;
  const fits = fitAddressSpace(limitBytes, workers, choice.value.engine);
  return fits.ok ? choice : fits;
}

/** Open files that this process may have. */
function allowedDescriptors(log: Log): number {
  const limit = descriptorLimit()?.soft ?? USUAL_DESCRIPTORS;
  if (limit < WANTED_DESCRIPTORS) {
    log.event('low-descriptor-limit', { limit, wanted: WANTED_DESCRIPTORS });
  }
  return limit;
}

/** What plain probes connect by; sockets of Node.js do the same where it cannot be had. */
function dialOf(kernel: Kernel | null, daemon: () => Daemon): WireDial | null {
  const defect = (error: unknown): void => daemon().defect(error);
  const dial = kernel === null ? null : descriptorDial(kernel, defect);
  return dial?.ok ? dial.value : null;
}

/** Time in which the process ran, and timers that wait for it. */
function livingTime(shared: SharedState, log: Log) {
  const clock = tellingStandstills(livingClock(systemClock, shared.memory.clock), cpuMs, log);
  return { clock, timers: livingTimers(systemTimers, clock) };
}

/** Root may lock as much as it likes (CAP_IPC_LOCK). */
function lockedBytes(): number | null {
  return process.getuid?.() === 0 ? null : (lockedMemoryLimit()?.soft ?? null);
}

/** Better engines that this machine does not allow, and what the chosen one has to do without. */
function tellWhatIsMissing(log: Log, choice: EngineChoice): readonly string[] {
  const { engine, passedOver, lacks } = choice;
  const best = passedOver[0];
  const told = best === undefined ? [] : [`${best.engine}: ${best.cause}`];
  if (lacks !== null) told.push(`${lacks.cause}. ${lacks.remedy}`);
  for (const detail of told) log.event('engine-degraded', { engine, detail });
  return told;
}

/**
 * Lets everything else have its turn, once as much work has been done as its last turn took: on a
 * thread that is busy with thousands of probes turns are long, and a page still gets its half.
 */
function turns(clock: Clock): () => Promise<void> {
  let sinceMs = Number.NEGATIVE_INFINITY;
  let turnMs = 0;
  return async () => {
    const fromMs = clock.nowMs();
    if (fromMs - sinceMs < Math.max(STRETCH_MS, turnMs)) return;
    await new Promise((resolve) => setImmediate(resolve));
    sinceMs = clock.nowMs();
    turnMs = sinceMs - fromMs;
  };
}
