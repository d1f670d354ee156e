/**
 * `sluice run`: a daemon with its log, admin page, signals and service manager, from the
 * configuration file to the exit code.
 */
import { asDone, describeDiff, diffSpecs, namesIn } from '../config/diff.js';
import { formatIssue, formatWarning, type Issue } from '../config/issue.js';
import { type ReadConfig, readConfig } from '../config/read_config.js';
import { restartNeeds } from '../config/restart.js';
import { listenerKey } from '../core/identity.js';
import { err, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import { LineQueue } from '../observe/line_queue.js';
import { createLog, FLUSH_LIMIT_MS, type Log } from '../observe/log.js';
import type { Metrics } from '../observe/metrics.js';
import { monotonicUsec, systemClock } from '../system/clock.js';
import { isJournal } from '../system/journal.js';
import type { Notifier } from '../system/notify.js';
import { openOutput } from '../system/output.js';
import type { DaemonSignal } from '../system/signals.js';
import { holdProcess, systemTimers } from '../system/timers.js';
import { assemble } from './assemble.js';
import { readConfigAside } from './config_reading.js';
import type { Daemon } from './daemon.js';
import { Ending, endNow } from './ending.js';
import { serviceManager, watchdogIntervalMs } from './service_manager.js';
import { SignalInbox } from './signal_inbox.js';
import { Site } from './site.js';
import { withRemedy } from './start_remedy.js';
import { watchStaying } from './stayed.js';

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;

export interface ServeOptions {
  readonly file: string;
  readonly version: string;
}

/** Runs until stopped by a signal, and ends the process: 0 when it was stopped, 1 at a failure. */
export async function serve(options: ServeOptions): Promise<never> {
  holdProcess();
  const inbox = new SignalInbox(() => endNow(0));
  const config = await load(options.file, (file) => readConfig(file, systemTimers));
  if (config.ok) return new Service(options, config.value, inbox).run();
  await complain(config.error.map((problem) => `${problem}\n`).join(''));
  return endNow(1);
}

/** To standard error, as far as somebody reads it. */
async function complain(text: string): Promise<void> {
  const queue = new LineQueue({
    write: openOutput(STANDARD_ERROR),
    timers: systemTimers,
    recovered: () => {},
  });
  queue.push(text);
  await queue.flush(FLUSH_LIMIT_MS);
}

async function load(
  file: string,
  read: typeof readConfigAside,
): Promise<Result<ReadConfig, readonly string[]>> {
  try {
    const config = await read(file);
    return config.ok ? config : err(config.error.map(formatIssue));
  } catch (error) {
    return err([`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

class Service {
  readonly #options: ServeOptions;
  readonly #log: Log;
  readonly #notifier: Notifier;
  /** With the settings that only a start reads as they were then. */
  #started: Spec;
  #spec: Spec;
  #warnings: readonly Issue[];
  #metrics: Metrics | null = null;
  #site: Site | null = null;
  #hash: string;
  #readWallMs = systemClock.wallMs();
  readonly #inbox: SignalInbox;

  constructor(options: ServeOptions, { spec, hash, warnings }: ReadConfig, inbox: SignalInbox) {
    this.#options = options;
    this.#inbox = inbox;
    this.#started = spec;
    this.#spec = spec;
    this.#warnings = warnings;
    this.#hash = hash;
    this.#notifier = serviceManager();
    this.#log = createLog({
      spec: spec.log,
      clock: systemClock,
      timers: systemTimers,
      write: openOutput(STANDARD_OUTPUT),
      reader: isJournal(process.env['JOURNAL_STREAM'], STANDARD_OUTPUT) ? 'journald' : 'any',
      onSuppressed: (event, lines) => this.#metrics?.logSuppressed(event, lines),
    });
  }

  async run(): Promise<never> {
    const { version, file } = this.#options;
    this.#log.event('starting', { version, file, workers: this.#workersAsked() });
    const about = { version, config: () => ({ hash: this.#hash, readWallMs: this.#readWallMs }) };
    const assembled = assemble(this.#spec, this.#log, about);
    if (!assembled.ok) return this.#fail(assembled.error);
    this.#warn();
    const { daemon, metrics, views, timers, adminConnections: connections } = assembled.value;
    this.#metrics = metrics;
    process.on('uncaughtException', (error) => void this.#end(error));
    const ending = new Ending({
      log: this.#log,
      timers,
      sessions: () => daemon.sessions(),
    });
    const hosts = (): readonly string[] => this.#spec.admin.hosts;
    const admin = {
      views,
      clock: systemClock,
      timers: systemTimers,
      hosts,
      connections,
      defect: (error: unknown) => daemon.defect(error),
    };
    const site = new Site(admin, this.#log);
    this.#site = site;
    let begun = (): void => {};
    const start = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const stopped = this.#signals(daemon, ending, start);
    const started = await daemon.start();
    if (!started.ok && daemon.phase !== 'stopping') return this.#fail(started.error.join('; '));
    if (started.ok) await site.open(this.#spec.admin.http);
    if (daemon.phase === 'serving') {
      this.#notifier.ready();
      this.#notifier.status(`serving ${this.#spec.listeners.length} listeners`);
    }
    begun();
    this.#watchdog(daemon);
    const signal = await stopped;
    ending.waitsFor('sessions, workers, probes and lookups');
    await this.#stop(daemon, signal);
    ending.waitsFor('clients of the admin endpoint');
    await site.close();
    return ending.finish(0);
  }

  /** null: one a core. */
  #workersAsked(): number | null {
    const { workers } = this.#spec.daemon;
    return workers === 'auto' ? null : workers;
  }

  /** A page that is open stays where it is, but one that could not be opened is tried again. */
  async #openSite({ admin: { http } }: Spec): Promise<void> {
    if (this.#site?.isOpen) return;
    await this.#site?.open(http);
    this.#started = { ...this.#started, admin: { ...this.#started.admin, http } };
  }

  /** Says what `sluice check` warns of. */
  #warn(): void {
    const problems = this.#warnings.map(formatWarning);
    if (problems.length === 0) return;
    this.#log.event('config-warning', { file: this.#options.file, problems });
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
    await Promise.all([this.#log.flush(), complain(`sluice: ${detail}\n`)]);
    return endNow(1);
  }

  /** Resolves with the first signal to stop. The second one ends the process. */
  #signals(daemon: Daemon, ending: Ending, start: Promise<void>): Promise<DaemonSignal> {
    // A reload that is asked for while the daemon starts follows the start: its file was read.
    let reloading = start;
    let waiting: 'no' | 'yes' = 'no';
    return new Promise((resolve) => {
      this.#inbox.open((signal, effect) => {
        if (effect === 'nothing') {
          this.#log.event('signal-ignored', { signal });
        } else if (effect === 'reload') {
          // One that has not begun yet reads the file later than now: it will do.
          if (waiting === 'yes') return;
          waiting = 'yes';
          reloading = reloading.then(() => {
            waiting = 'no';
            return this.#reload(daemon, signal);
          });
        } else {
          daemon.announceStop();
          ending.begin(this.#spec.daemon.shutdownTimeoutMs);
          resolve(signal);
        }
      });
    });
  }

  async #reload(daemon: Daemon, signal: DaemonSignal): Promise<void> {
    if (daemon.phase !== 'serving') return this.#log.event('signal-ignored', { signal });
    const { file } = this.#options;
    const startedMs = systemClock.nowMs();
    this.#notifier.reloading(monotonicUsec());
    this.#log.event('reloading', { file, signal });
    const problems = await this.#adopt(daemon, startedMs);
    if (problems.length > 0) {
      // The stop has outranked it: that is no fault of the file.
      if (daemon.phase !== 'serving') return this.#log.event('signal-ignored', { signal });
      this.#log.event('reload-failed', { file, problems: problems.map(withRemedy) });
      this.#notifier.status(`the last reload was refused: ${problems[0]}`);
    }
    this.#metrics?.reload(problems.length === 0 ? 'success' : 'failure');
    // The service manager has been told that we stop, and must not hear otherwise.
    if (daemon.phase === 'serving') this.#notifier.ready();
  }

  /** The problems that keep the file from being used; none: it is in use. */
  async #adopt(daemon: Daemon, startedMs: number): Promise<readonly string[]> {
    const config = await load(this.#options.file, readConfigAside);
    if (!config.ok) return config.error;
    const { spec, hash, warnings } = config.value;
    const stays = watchStaying(daemon.inventory);
    const adopted = await daemon.reload(spec);
    if (!adopted.ok) return adopted.error;
    const diff = asDone(diffSpecs(this.#spec, spec), stays);
    this.#spec = spec;
    this.#warnings = warnings;
    this.#hash = hash;
    this.#readWallMs = systemClock.wallMs();
    this.#log.configure(spec.log);
    this.#warn();
    await this.#openSite(spec);
    // Against what the process started with: a setting that waits is told at every reload.
    const needsRestart = restartNeeds(this.#started, spec);
    const keys = needsRestart.map(({ setting }) => setting);
    if (keys.length > 0) this.#log.event('restart-needed', { keys });
    const duration_ms = systemClock.nowMs() - startedMs;
    for (const removed of diff.listeners.removed) {
      const sessions = daemon.sessions(listenerKey(removed));
      const { name: listener, protocol } = removed;
      this.#log.event('listener-removed', { listener, protocol, sessions });
    }
    this.#log.event('reloaded', { ...namesIn(diff), duration_ms });
    this.#notifier.status(`reloaded: ${describeDiff(diff)}`);
    return [];
  }

  async #stop(daemon: Daemon, signal: DaemonSignal): Promise<void> {
    const startedMs = systemClock.nowMs();
    this.#notifier.stopping();
    this.#notifier.status('sessions may finish');
    this.#log.event('stopping', {
      signal,
      sessions: daemon.sessions(),
      limit_ms: this.#spec.daemon.shutdownTimeoutMs,
    });
    const { cut } = await daemon.stop();
    this.#log.event('stopped', { sessions: cut, duration_ms: systemClock.nowMs() - startedMs });
  }

  /** The service manager hears of us only while every worker answers. */
  #watchdog(daemon: Daemon): void {
    const intervalMs = watchdogIntervalMs();
    if (intervalMs === null) return;
    systemTimers.after(intervalMs, () => {
      if (daemon.fleet.problems().length === 0) this.#notifier.watchdog();
      this.#watchdog(daemon);
    });
  }
}
