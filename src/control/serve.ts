/**
 * `sluice run`: a daemon with its log, admin page, signals and service manager, from the
 * configuration file to the exit code.
 */
import { type AdminServer, startAdmin } from '../admin/http.js';
import type { AdminViews } from '../admin/views.js';
import { describeDiff, diffSpecs } from '../config/diff.js';
import { formatIssue } from '../config/issue.js';
import { type ReadConfig, readConfig } from '../config/read_config.js';
import { formatAddress } from '../core/endpoint.js';
import { err, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import { createLog, type Log } from '../observe/log.js';
import type { Metrics } from '../observe/metrics.js';
import { monotonicUsec, systemClock } from '../system/clock.js';
import type { Notifier } from '../system/notify.js';
import { type DaemonSignal, onSignal } from '../system/signals.js';
import { systemTimers } from '../system/timers.js';
import { assemble } from './assemble.js';
import type { Daemon } from './daemon.js';
import { serviceManager, watchdogIntervalMs } from './service_manager.js';

export interface ServeOptions {
  readonly file: string;
  readonly version: string;
  readonly stderr: { write(text: string): unknown };
}

/** Runs until stopped by a signal; answers the exit code. */
export async function serve(options: ServeOptions): Promise<0 | 1> {
  const config = await load(options.file);
  if (!config.ok) {
    options.stderr.write(config.error.map((problem) => `${problem}\n`).join(''));
    return 1;
  }
  return new Service(options, config.value).run();
}

async function load(file: string): Promise<Result<ReadConfig, readonly string[]>> {
  const config = await readConfig(file, systemTimers);
  return config.ok ? config : err(config.error.map(formatIssue));
}

class Service {
  readonly #options: ServeOptions;
  readonly #log: Log;
  readonly #notifier: Notifier;
  readonly #started: Spec;
  #spec: Spec;
  #metrics: Metrics | null = null;
  #hash: string;
  #readWallMs = systemClock.wallMs();

  constructor(options: ServeOptions, { spec, hash }: ReadConfig) {
    this.#options = options;
    this.#started = spec;
    this.#spec = spec;
    this.#hash = hash;
    this.#notifier = serviceManager();
    this.#log = createLog({
      spec: spec.log,
      clock: systemClock,
      onSuppressed: (event, lines) => this.#metrics?.logSuppressed(event, lines),
    });
  }

  async run(): Promise<0 | 1> {
    const { version } = this.#options;
    const about = { version, config: () => ({ hash: this.#hash, readWallMs: this.#readWallMs }) };
    const assembled = assemble(this.#spec, this.#log, about);
    if (!assembled.ok) return this.#fail(assembled.error);
    const { daemon, metrics, views } = assembled.value;
    this.#metrics = metrics;
    process.on('uncaughtException', (error) => void this.#end(daemon, error));
    const stopped = this.#signals(daemon);
    const started = await daemon.start();
    if (!started.ok) return this.#fail(started.error);
    const site = await this.#openSite(views);
    this.#notifier.ready();
    this.#watchdog(daemon);
    const signal = await stopped;
    await this.#stop(daemon, signal);
    await site?.close();
    await this.#log.flush();
    return 0;
  }

  /** Traffic is served whether or not the admin page can be. */
  async #openSite(views: AdminViews): Promise<AdminServer | null> {
    const { http } = this.#spec.admin;
    if (http === null) return null;
    const site = await startAdmin(http, views);
    if (site.ok) {
      this.#log.event('admin-listening', { address: formatAddress(site.value.endpoint) });
      return site.value;
    }
    this.#log.event('admin-failed', { address: formatAddress(http), ...site.error });
    return null;
  }

  async #fail(detail: string): Promise<1> {
    this.#log.event('start-failed', { detail });
    await this.#log.flush();
    this.#options.stderr.write(`sluice: ${detail}\n`);
    return 1;
  }

  /** A broken invariant: nothing that goes on could be trusted. */
  async #end(daemon: Daemon, error: unknown): Promise<void> {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#log.event('internal-error', { detail });
    await this.#log.flush();
    this.#options.stderr.write(`sluice: ${detail}\n`);
    daemon.abandonWorkers();
    process.exit(1);
  }

  /** SIGHUP reloads; resolves with the first signal to stop. The second one ends the process. */
  #signals(daemon: Daemon): Promise<DaemonSignal> {
    let reloading: Promise<void> = Promise.resolve();
    onSignal('SIGHUP', () => {
      reloading = reloading.then(() => this.#reload(daemon, 'SIGHUP'));
    });
    return new Promise((resolve) => {
      let seen = 0;
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        onSignal(signal, () => {
          seen++;
          if (seen > 1) {
            daemon.abandonWorkers();
            process.exit(0);
          }
          resolve(signal);
        });
      }
    });
  }

  async #reload(daemon: Daemon, signal: DaemonSignal): Promise<void> {
    if (daemon.phase !== 'serving') return;
    const { file } = this.#options;
    const startedMs = systemClock.nowMs();
    this.#notifier.reloading(monotonicUsec());
    this.#log.event('reloading', { file, signal });
    const problems = await this.#adopt(daemon, startedMs);
    if (problems.length > 0) this.#log.event('reload-failed', { file, problems });
    this.#metrics?.reload(problems.length === 0 ? 'success' : 'failure');
    this.#notifier.ready();
  }

  /** The problems that keep the file from being used; none: it is in use. */
  async #adopt(daemon: Daemon, startedMs: number): Promise<readonly string[]> {
    const config = await load(this.#options.file);
    if (!config.ok) return config.error;
    const { spec, hash } = config.value;
    const diff = diffSpecs(this.#spec, spec);
    const adopted = await daemon.reload(spec);
    if (!adopted.ok)
      return [`cannot listen on ${adopted.error.address}: ${adopted.error.sentence}`];
    this.#spec = spec;
    this.#hash = hash;
    this.#readWallMs = systemClock.wallMs();
    this.#log.configure(spec.log);
    // Against what the process started with: a setting that waits is told at every reload.
    const { needsRestart } = diffSpecs(this.#started, spec);
    const keys = needsRestart.map(({ setting }) => setting);
    if (keys.length > 0) this.#log.event('restart-needed', { keys });
    const duration_ms = systemClock.nowMs() - startedMs;
    this.#log.event('reloaded', { changes: [describeDiff(diff)], duration_ms });
    return [];
  }

  async #stop(daemon: Daemon, signal: DaemonSignal): Promise<void> {
    const startedMs = systemClock.nowMs();
    this.#notifier.stopping();
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
      if (daemon.fleet.silent().length === 0) this.#notifier.watchdog();
      this.#watchdog(daemon);
    });
  }
}
