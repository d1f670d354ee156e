/**
 * `sluice run`: a daemon with its log, admin page, signals and service manager, from the
 * configuration file to the exit code.
 */
import { type ReadConfig, readConfig, STANDARD_INPUT } from '../config/read_config.js';
import { loadKernel } from '../kernel/foreign.js';
import { createLog, type Log } from '../observe/log.js';
import type { Metrics } from '../observe/metrics.js';
import { RecentEvents } from '../observe/recent_events.js';
import { systemClock } from '../system/clock.js';
import { Installed } from '../system/installed.js';
import { isJournal } from '../system/journal.js';
import { holdingNotifier } from '../system/notify.js';
import { openOutput } from '../system/output.js';
import { holdProcess, systemTimers } from '../system/timers.js';
import { endpointsOf } from './api/all.js';
import { createRouter } from './api/router.js';
import { ApiTurns } from './api/turns.js';
import { type Assembly, assemble } from './assemble.js';
import { complain } from './complain.js';
import { readConfigAside } from './config_reading.js';
import type { Daemon } from './daemon.js';
import { endNow, ProcessEnding } from './ending.js';
import { FileInUse, loadFile } from './file_in_use.js';
import { KeptMembers } from './kept_members.js';
import { KeptOverrides } from './kept_overrides.js';
import { Places } from './places.js';
import { type Placer, placerOf } from './refusal_places.js';
import { Reloads } from './reloads.js';
import { managedSockets, serviceManager, serviceWatchdogMs } from './service_manager.js';
import { SignalInbox } from './signal_inbox.js';
import { withRemedy } from './start_remedy.js';
import { type OwnStateLock, stateLock } from './state_lock.js';
import { Stopping } from './stopping.js';
import { Predecessor } from './upgrade/predecessor.js';
import { keptBefore, receiveTakenOver, takeover } from './upgrade/taken_over.js';
import { Upgrades } from './upgrade/upgrades.js';

const STANDARD_OUTPUT = 1;
const NOT_AGAIN =
  'the daemon takes no file from standard input, which a reload could not read again; ' +
  '`sluice check -` does';

export interface ServeOptions {
  readonly file: string;
  readonly version: string;
}

/** Runs until stopped by a signal, and ends the process: 0 when it was stopped, 1 at a failure. */
export async function serve(options: ServeOptions): Promise<never> {
  if (options.file === STANDARD_INPUT) {
    await complain(`sluice: ${NOT_AGAIN}\n`);
    return endNow(1);
  }
  holdProcess();
  const inbox = new SignalInbox(() => endNow(0));
  const predecessor = Predecessor.find(process.env);
  const config = await loadFile(options.file, (file) => readConfig(file, systemTimers, '-c'));
  if (config.ok) return new Service(options, config.value, inbox, predecessor).run();
  await predecessor?.failed(config.error.join('; '));
  await complain(config.error.map((problem) => `${problem}\n`).join(''));
  return endNow(1);
}

class Service {
  readonly #options: ServeOptions;
  readonly #log: Log;
  /** It says nothing before the process before this one has given its place. */
  readonly #notifier: ReturnType<typeof holdingNotifier>;
  readonly #predecessor: Predecessor | null;
  readonly #lock: OwnStateLock;
  readonly #inUse: FileInUse;
  readonly #inbox: SignalInbox;
  readonly #place: Placer;
  readonly #installed = new Installed();
  readonly #recent = new RecentEvents();
  #metrics: Metrics | null = null;

  constructor(
    options: ServeOptions,
    config: ReadConfig,
    inbox: SignalInbox,
    predecessor: Predecessor | null,
  ) {
    this.#options = options;
    this.#inbox = inbox;
    this.#predecessor = predecessor;
    this.#lock = stateLock(loadKernel(), () => predecessor?.leads ?? false);
    this.#notifier = holdingNotifier(serviceManager());
    if (predecessor === null) this.#notifier.release();
    this.#log = createLog({
      spec: config.spec.log,
      clock: systemClock,
      timers: systemTimers,
      write: openOutput(STANDARD_OUTPUT),
      reader: isJournal(process.env['JOURNAL_STREAM'], STANDARD_OUTPUT) ? 'journald' : 'any',
      recent: this.#recent,
      onSuppressed: (event, lines) => this.#metrics?.logSuppressed(event, lines),
    });
    const { file } = options;
    this.#place = placerOf(file, systemTimers);
    const parts = {
      file,
      read: readConfigAside,
      log: this.#log,
      clock: systemClock,
      place: this.#place,
    };
    this.#inUse = new FileInUse(parts, config);
  }

  async run(): Promise<never> {
    const { version, file } = this.#options;
    const inUse = this.#inUse;
    const { stateDirectory, keepSockets, workers } = inUse.spec.daemon;
    this.#log.event('starting', { version, file, workers: workers === 'auto' ? null : workers });
    const keeping = { log: this.#log, timers: systemTimers, lock: this.#lock.take };
    const kept = new KeptOverrides(stateDirectory, keeping);
    const members = new KeptMembers(stateDirectory, keeping);
    const about = { version, config: () => inUse };
    const before = await receiveTakenOver(this.#predecessor, this.#log);
    const keep = keepSockets ? 'kept' : 'not kept';
    const managed = managedSockets(this.#notifier, this.#log, keep, before.sockets);
    const assembled = assemble(inUse.spec, this.#log, about, {
      ...(await keptBefore({ overrides: kept, members }, before, this.#predecessor)),
      ...managed,
      ...takeover(this.#predecessor, this.#log, this.#recent),
      orderBefore: (order) => this.#predecessor?.order(order),
    });
    if (!assembled.ok) return this.#fail(assembled.error);
    inUse.warn();
    const { daemon, metrics, timers } = assembled.value;
    kept.follow(daemon);
    this.#metrics = metrics;
    process.on('uncaughtException', (error) => void this.#end(error));
    const ending = new ProcessEnding({
      log: this.#log,
      timers,
      sessions: () => daemon.sessions(),
    });
    let begun = (): void => {};
    const start = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const stopping = new Stopping({ ...this.#parts(daemon), ending });
    const { places, reloads, left } = this.#operated(assembled.value, kept, start, stopping);
    stopping.follow(this.#inbox, (signal) => void reloads.ask({ signal, by: null }));
    const started = await daemon.start();
    if (!started.ok && daemon.phase !== 'stopping') {
      const problems = await this.#place(started.error, inUse.hash);
      return this.#fail(problems.join('; '));
    }
    if (started.ok) await places.open();
    await this.#takePlace(daemon, managed.sockets?.unasked ?? []);
    this.#notifier.release();
    if (daemon.phase === 'serving') {
      this.#notifier.ready();
      this.#notifier.status(`serving ${inUse.spec.listeners.length} listeners`);
    }
    begun();
    this.#watchdog(daemon);
    await stopping.run(await Promise.race([stopping.asked, left]));
    ending.waitsFor('clients of the admin endpoints');
    await places.close();
    return ending.finish(0);
  }

  /** How it is asked and operated. */
  #operated(assembly: Assembly, kept: KeptOverrides, start: Promise<void>, stopping: Stopping) {
    const { daemon, metrics, views, lastHour, kernel, ledger, clients } = assembly;
    const { file, version } = this.#options;
    const inUse = this.#inUse;
    const log = this.#log;
    const parts = { ...this.#parts(daemon), file, metrics };
    const reloads = new Reloads(
      {
        ...parts,
        adopted: () => places.open(),
        insteadOfReload: () => upgrades.insteadOfReload(),
        passOn: (signal) => upgrades.passOn(signal),
      },
      start,
    );
    this.#predecessor?.eachSignal((signal) => void reloads.ask({ signal, by: null }));
    const upgrades: Upgrades = new Upgrades({
      ...parts,
      installed: this.#installed,
      recent: this.#recent,
      lastHour,
      timers: systemTimers,
      lock: this.#lock,
      places: () => places,
      stop: () => stopping.ask(),
    });
    const endpoints = endpointsOf({
      upgrades,
      views,
      inUse,
      reloads,
      daemon,
      overrides: () => daemon.desires.overrides,
      lastHour,
      traffic: assembly.traffic,
      kept,
      ledger,
      clients,
      log,
      recent: this.#recent,
      clock: systemClock,
      timers: systemTimers,
      started: systemClock.wallMs().toString(36),
    });
    const places: Places = new Places({
      inUse,
      log,
      kernel,
      views,
      clock: systemClock,
      timers: systemTimers,
      connections: assembly.adminConnections,
      router: createRouter(endpoints, version, new ApiTurns(setImmediate, systemClock)),
      defect: (error) => daemon.defect(error),
      slow: (bytes) => log.event('follower-cut', { detail: `${bytes} bytes waited for it` }),
      taken: (name) => this.#predecessor?.place(name) ?? null,
    });
    return { places, reloads, left: upgrades.left };
  }

  #parts(daemon: Daemon) {
    const [log, notifier, inUse] = [this.#log, this.#notifier, this.#inUse];
    return { daemon, log, notifier, inUse, predecessor: this.#predecessor };
  }

  /** One that was stopped meanwhile takes the place of no other: the one before serves on. */
  async #takePlace(daemon: Daemon, unasked: readonly string[]): Promise<void> {
    if (this.#predecessor === null) return;
    if (daemon.phase === 'serving') {
      await this.#predecessor.ready(this.#options.version, unasked);
      return this.#lock.inherit();
    }
    this.#notifier.fallSilent();
    await this.#predecessor.failed('it was ordered to stop');
  }

  async #fail(sentence: string): Promise<never> {
    const detail = withRemedy(sentence);
    this.#log.event('start-failed', { detail });
    return this.#endBadly(detail);
  }

  /** A broken invariant: nothing that goes on could be trusted. */
  #end(error: unknown): Promise<never> {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#log.event('internal-error', { worker: null, listener: null, detail });
    return this.#endBadly(detail);
  }

  async #endBadly(detail: string): Promise<never> {
    await this.#predecessor?.failed(detail);
    await Promise.all([this.#log.flush(), complain(`sluice: ${detail}\n`)]);
    return endNow(1);
  }

  /** The service manager hears from us only while every worker answers. */
  #watchdog(daemon: Daemon): void {
    const intervalMs = serviceWatchdogMs();
    if (intervalMs === null || daemon.handover.isDone) return;
    systemTimers.after(intervalMs, () => {
      if (daemon.fleet.problems().length === 0) this.#notifier.watchdog();
      this.#watchdog(daemon);
    });
  }
}
