/**
 * The overrides over a restart: read before the start, written after each change. Nothing about it
 * keeps a daemon from starting, or a change from being in force; the answer to a change says when
 * it would not survive. What the process before this one has left is never lost by a write: a file
 * that was not read is read first, and what was not understood is kept under another name.
 */
import { join } from 'node:path';
import type { Timer, Timers } from '../core/clock.js';
import { ok, type Result } from '../core/result.js';
import type { Log } from '../observe/log.js';
import type { Refusal } from './change_queue.js';
import { keptText, readKept } from './desired/kept_text.js';
import { type Override, slotOf, withAdded } from './desired/override.js';
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

type Merge = (now: { overrides: readonly Override[] }) => Result<readonly Override[], Refusal>;

/** Where overrides are in force. */
export interface Overridden {
  override(merge: Merge): Promise<Result<null, Refusal>>;
}

/** What is at the path before the next write. */
type Left =
  /** Nothing that would be missed. */
  | 'nothing'
  /** It could not be read, or neither understood nor put aside. */
  | 'unknown'
  /** Some of its records were not understood. */
  | 'in part';

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
  #left: Left = 'nothing';
  /** At the start: what is in force is not what is in the file. */
  #isBehind = false;
  #reading: Promise<string | null> | null = null;
  /** Read late, and not in force yet. */
  #late: readonly Override[] = [];
  #daemon: Overridden | null = null;

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

  /**
   * Those of the process before this one; what it has handed over itself (`told`) is newer than the
   * file.
   */
  async load(told: readonly Override[] | null): Promise<readonly Override[]> {
    const file = this.#file;
    this.#now = told ?? [];
    if (file === null) return this.#now;
    const taken = file.taken();
    this.#problem = taken;
    // What that process has is in force here, too: it may be the one before this one, which ends.
    if (taken !== null) this.#tell('state-not-written', [taken]);
    const { problem, overrides } = await this.#read(file);
    if (problem !== null) this.#problem = problem;
    this.#now = told ?? overrides ?? [];
    this.#isBehind = keptText(overrides ?? []) !== keptText(this.#now);
    return this.#now;
  }

  /** What `load` could not read comes into force in `daemon`, when it can be read. */
  follow(daemon: Overridden): void {
    this.#daemon = daemon;
    if (this.#problem !== null || this.#isBehind) this.#tryLater();
  }

  /** What is not as it should be; null: all is. */
  get trouble(): string | null {
    if (this.#problem === null) return null;
    const where = `${this.#file?.path}: ${this.#problem}`;
    return this.#left === 'unknown'
      ? `overrides of the process before are not in force, and changes are not kept: ${where}`
      : `overrides are not kept, and a restart would lose them: ${where}`;
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
    this.#last = this.#store(file);
    void this.#last.then((problem) => this.#written(problem));
  }

  async #store(file: StateFile): Promise<string | null> {
    if (this.#left !== 'nothing') {
      this.#reading ??= this.#clear(file).finally(() => {
        this.#reading = null;
      });
      const problem = await this.#reading;
      if (problem !== null) return problem;
    }
    return file.write(keptText(withAdded(this.#late, this.#now)));
  }

  /** Before the first write over what was left: null, or why it must stay as it is. */
  async #clear(file: StateFile): Promise<string | null> {
    const taken = file.taken();
    if (taken !== null) return taken;
    if (this.#left === 'unknown') {
      const { problem, overrides } = await this.#read(file);
      if (problem !== null) return problem;
      if (overrides !== null) this.#takeLate(file, overrides);
    }
    if (this.#left !== 'in part') return null;
    const copy = await file.aside('copied');
    if (copy.kind === 'failed') return `what is there cannot be copied: ${copy.problem}`;
    this.#left = 'nothing';
    this.#deps.log.event('state-put-aside', { file: file.path, detail: `a copy: ${copy.path}` });
    return null;
  }

  /** Reports what is wrong, once. `problem`: it must not be overwritten; null: not understood. */
  async #read(file: StateFile) {
    const before = this.#left;
    const read = await file.read();
    this.#left = 'unknown';
    if (read.kind === 'failed') {
      if (before !== 'unknown') this.#tell('state-unread', [read.problem]);
      return { problem: read.problem, overrides: null };
    }
    const kept = read.kind === 'text' ? readKept(read.text) : { overrides: [], problems: [] };
    if (kept === null) return this.#refuse(file, before);
    this.#left = kept.problems.length > 0 ? 'in part' : 'nothing';
    if (kept.problems.length > 0) this.#tell('state-unreadable', kept.problems);
    return { problem: null, overrides: kept.overrides };
  }

  async #refuse(file: StateFile, before: Left) {
    const what = 'it is no list of overrides';
    const aside = await file.aside('moved');
    if (aside.kind === 'at') {
      this.#left = 'nothing';
      this.#tell('state-unreadable', [`${what}; it is at ${aside.path} now`]);
      return { problem: null, overrides: null };
    }
    const problem = `${what}, and could not be put aside: ${aside.problem}`;
    if (before !== 'unknown') this.#tell('state-unreadable', [problem]);
    return { problem, overrides: null };
  }

  /** What was ordered since the start wins. Until it is in force, it is written all the same. */
  #takeLate(file: StateFile, overrides: readonly Override[]): void {
    this.#problem = null;
    const ordered = new Set(this.#now.map(slotOf));
    this.#late = overrides.filter((one) => !ordered.has(slotOf(one)));
    this.#deps.log.event('state-read', { file: file.path, count: this.#late.length });
    if (this.#late.length === 0) return;
    const merged: Merge = (now) => ok(withAdded(this.#late, now.overrides));
    void this.#daemon?.override(merged).then((done) => {
      if (!done.ok) return;
      this.#late = [];
      this.#write();
    });
  }

  #tryLater(): void {
    this.#again?.cancel();
    this.#again = this.#deps.timers.after(AGAIN_MS, () => this.#write());
  }

  #written(problem: string | null): void {
    const before = this.#problem;
    this.#problem = problem;
    this.#again?.cancel();
    this.#again = null;
    if (problem !== null) this.#tryLater();
    if (problem !== null && before === null) this.#tell('state-not-written', [problem]);
    if (problem === null && before !== null) {
      this.#deps.log.event('state-written', { file: this.#file?.path ?? '' });
    }
  }

  #tell(
    event: 'state-unread' | 'state-unreadable' | 'state-not-written',
    problems: readonly string[],
  ): void {
    this.#deps.log.event(event, { file: this.#file?.path ?? '', problems });
  }
}
