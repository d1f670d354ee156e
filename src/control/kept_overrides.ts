/**
 * The overrides over a restart: read before the start, written after each change. Nothing about it
 * keeps a daemon from starting, or a change from being in force; whoever asked for one hears when
 * it would not survive.
 */
import { join } from 'node:path';
import type { Timer, Timers } from '../core/clock.js';
import type { Log } from '../observe/log.js';
import { keptText, readKept } from './desired/kept_text.js';
import type { Override } from './desired/override.js';
import { StateFile } from './state_file.js';
import type { StateLock } from './state_lock.js';
import { statePlace } from './state_place.js';

const FILE_NAME = 'overrides.json';
/** What could not be written is tried again so often. */
const AGAIN_MS = 30_000;

export interface KeptOverridesDeps {
  readonly log: Pick<Log, 'event'>;
  readonly timers: Timers;
  readonly lock: StateLock;
}

export class KeptOverrides {
  readonly #deps: KeptOverridesDeps;
  readonly #file: StateFile | null;
  /** Why nothing is kept at all; '' where it is. */
  readonly #why: string;
  #now: readonly Override[] = [];
  #last: Promise<string | null> = Promise.resolve(null);
  #problem: string | null = null;
  /** The next attempt; null: the last write was good. One, however many failed. */
  #again: Timer | null = null;

  /** `folder`: as the file has it. */
  constructor(folder: string | null, deps: KeptOverridesDeps) {
    this.#deps = deps;
    const place = statePlace(folder, process.env);
    this.#why = place.kind === 'nowhere' ? place.why : 'daemon.state_directory is ""';
    this.#file =
      place.kind === 'at'
        ? new StateFile(join(place.folder, FILE_NAME), deps.timers, deps.lock)
        : null;
    if (place.kind === 'nowhere') deps.log.event('state-off', { detail: place.why });
  }

  /** Those of the process before this one. */
  async load(): Promise<readonly Override[]> {
    const file = this.#file;
    const taken = file?.taken() ?? null;
    // What that process has is in force here, too: it may be the one before this one, which ends.
    if (taken !== null) this.#tell('state-not-written', [taken]);
    const read = (await file?.read()) ?? { kind: 'none' };
    if (file === null || read.kind === 'none') return [];
    const kept = read.kind === 'text' ? readKept(read.text) : null;
    if (kept === null) {
      const problem = read.kind === 'failed' ? read.problem : 'it is no list of overrides';
      const aside = await file.putAside();
      this.#tell('state-unreadable', [`${problem}; it is at ${aside} now`]);
      return [];
    }
    if (kept.problems.length > 0) this.#tell('state-unreadable', kept.problems);
    this.#now = kept.overrides;
    return kept.overrides;
  }

  keep(overrides: readonly Override[]): void {
    this.#now = overrides;
    this.#write();
  }

  /** When what is in force now is on disk, or is not: null, or the reason. */
  async settled(): Promise<string | null> {
    if (this.#file === null) return this.#why;
    return this.#last;
  }

  #write(): void {
    const file = this.#file;
    if (file === null) return;
    this.#last = file.write(keptText(this.#now));
    void this.#last.then((problem) => this.#written(problem));
  }

  #written(problem: string | null): void {
    const before = this.#problem;
    this.#problem = problem;
    this.#again?.cancel();
    this.#again = problem === null ? null : this.#deps.timers.after(AGAIN_MS, () => this.#write());
    if (problem !== null && before === null) this.#tell('state-not-written', [problem]);
  }

  #tell(event: 'state-unreadable' | 'state-not-written', problems: readonly string[]): void {
    this.#deps.log.event(event, { file: this.#file?.path ?? '', problems });
  }
}
