/**
 * The configuration file of a daemon that serves: what of it is in use, and how another text takes
 * its place, by a signal or a command. One reload at a time; one that waits reads the file later
 * than all that asked for it meanwhile.
 */
import { asDone, describeDiff, diffSpecs, namesIn, type SpecDiff } from '../config/diff.js';
import { formatIssue, formatWarning, type Issue } from '../config/issue.js';
import type { ReadConfig } from '../config/read_config.js';
import { restartNeeds } from '../config/restart.js';
import type { Clock } from '../core/clock.js';
import { listenerKey } from '../core/identity.js';
import { err, ok, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import type { Log } from '../observe/log.js';
import type { Daemon } from './daemon.js';
import type { Placer } from './refusal_places.js';
import { withRemedy } from './start_remedy.js';
import { watchStaying } from './stayed.js';

/** What differs between the file in use and another one, by name. */
export interface FileDifference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** Sentences on keys that take effect only after a restart. */
  readonly needsRestart: readonly string[];
  /** One line. */
  readonly summary: string;
  /** What `sluice check` warns of in the new file. */
  readonly warnings: readonly string[];
}

export type ReadFile = (file: string) => Promise<Result<ReadConfig, readonly Issue[]>>;

export interface FileInUseDeps {
  readonly file: string;
  readonly read: ReadFile;
  readonly log: Log;
  readonly clock: Clock;
  /** Puts places of the file into what the machine refused. */
  readonly place: Placer;
}

export class FileInUse {
  readonly #deps: FileInUseDeps;
  /** With the settings that only a start reads as they were then. */
  #started: Spec;
  #spec: Spec;
  #warnings: readonly Issue[];
  #hash: string;
  #readWallMs: number;

  constructor(deps: FileInUseDeps, { spec, hash, warnings }: ReadConfig) {
    this.#deps = deps;
    this.#started = spec;
    this.#spec = spec;
    this.#warnings = warnings;
    this.#hash = hash;
    this.#readWallMs = deps.clock.wallMs();
  }

  get spec(): Spec {
    return this.#spec;
  }

  get hash(): string {
    return this.#hash;
  }

  get readWallMs(): number {
    return this.#readWallMs;
  }

  /** A place was opened later than at the start, by the file as it is now. */
  beganWith(place: 'http' | 'socket'): void {
    const { admin } = this.#started;
    this.#started = { ...this.#started, admin: { ...admin, [place]: this.#spec.admin[place] } };
  }

  /** Says what `sluice check` warns of. */
  warn(): void {
    const problems = this.#warnings.map(formatWarning);
    if (problems.length === 0) return;
    this.#deps.log.event('config-warning', { file: this.#deps.file, problems });
  }

  /** What a reload would change, or the problems that it would have; changes nothing. */
  async preview(daemon: Daemon): Promise<Result<FileDifference, readonly string[]>> {
    const config = await this.#load();
    if (!config.ok) return config;
    const { spec, warnings } = config.value;
    const lists = await daemon.lists.read(spec);
    if (!lists.ok) return lists;
    return ok(this.#difference(diffSpecs(this.#spec, spec), spec, warnings));
  }

  /** Puts the file as it is now into use; problems: nothing has changed. */
  async adopt(daemon: Daemon): Promise<Result<FileDifference, readonly string[]>> {
    const startedMs = this.#deps.clock.nowMs();
    const config = await this.#load();
    if (!config.ok) return config;
    const { spec, hash, warnings } = config.value;
    const stays = watchStaying(daemon.inventory);
    const adopted = await daemon.reload(spec);
    if (!adopted.ok) {
      return err((await this.#deps.place(adopted.error, hash)).map(withRemedy));
    }
    const diff = asDone(diffSpecs(this.#spec, spec), stays);
    const difference = this.#difference(diff, spec, warnings);
    this.#spec = spec;
    this.#warnings = warnings;
    this.#hash = hash;
    this.#readWallMs = this.#deps.clock.wallMs();
    this.#tell(daemon, diff, startedMs);
    return ok(difference);
  }

  #tell(daemon: Daemon, diff: SpecDiff, startedMs: number): void {
    const { log, clock } = this.#deps;
    this.warn();
    // Against what the process started with: a setting that waits is reported at every reload.
    const keys = restartNeeds(this.#started, this.#spec).map(({ setting }) => setting);
    if (keys.length > 0) log.event('restart-needed', { keys });
    for (const removed of diff.listeners.removed) {
      const sessions = daemon.sessions(listenerKey(removed));
      const { name: listener, protocol } = removed;
      log.event('listener-removed', { listener, protocol, sessions });
    }
    log.event('reloaded', { ...namesIn(diff), duration_ms: clock.nowMs() - startedMs });
  }

  #difference(diff: SpecDiff, spec: Spec, warnings: readonly Issue[]): FileDifference {
    return {
      ...namesIn(diff),
      needsRestart: restartNeeds(this.#started, spec).map(({ sentence }) => sentence),
      summary: describeDiff(diff),
      warnings: warnings.map(formatWarning),
    };
  }

  async #load(): Promise<Result<ReadConfig, readonly string[]>> {
    return loadFile(this.#deps.file, this.#deps.read);
  }
}

/** Reads `file`; its problems are lines of text. */
export async function loadFile(
  file: string,
  read: ReadFile,
): Promise<Result<ReadConfig, readonly string[]>> {
  try {
    const config = await read(file);
    return config.ok ? config : err(config.error.map(formatIssue));
  } catch (error) {
    return err([`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}
