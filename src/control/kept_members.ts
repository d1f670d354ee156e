/**
 * The last good answers of sources over a restart: a start without its source serves with them. A
 * file that cannot be read or written keeps no daemon from anything.
 */
import { join } from 'node:path';
import type { Timers } from '../core/clock.js';
import { type Remembered, readRemembered, rememberedText } from '../discovery/remembered_text.js';
import type { Log } from '../observe/log.js';
import { StateFile } from './state_file.js';
import type { StateLock } from './state_lock.js';
import { statePlace } from './state_place.js';

const FILE_NAME = 'members.json';

export interface KeptMembersDeps {
  readonly log: Pick<Log, 'event'>;
  readonly timers: Timers;
  readonly lock: StateLock;
}

export class KeptMembers {
  readonly #deps: KeptMembersDeps;
  readonly #file: StateFile | null;
  #problem: string | null = null;

  /** `folder`: as the file has it. */
  constructor(folder: string | null, deps: KeptMembersDeps) {
    this.#deps = deps;
    const place = statePlace(folder, process.env);
    this.#file =
      place.kind === 'at'
        ? new StateFile(join(place.folder, FILE_NAME), deps.timers, deps.lock)
        : null;
  }

  /** Those of the process before this one. */
  async load(): Promise<readonly Remembered[]> {
    const file = this.#file;
    const read = (await file?.read()) ?? { kind: 'none' };
    if (file === null || read.kind === 'none') return [];
    const known = read.kind === 'text' ? readRemembered(read.text) : null;
    if (known !== null) return known;
    const problem = read.kind === 'failed' ? read.problem : 'it is no list of members';
    const aside = await file.aside('moved');
    const where = aside.kind === 'at' ? `is at ${aside.path} now` : `stays: ${aside.problem}`;
    this.#tell('state-unreadable', `${problem}; it ${where}`);
    return [];
  }

  keep(all: readonly Remembered[]): void {
    void this.#file?.write(rememberedText(all)).then((problem) => {
      if (problem !== null && this.#problem === null) this.#tell('state-not-written', problem);
      this.#problem = problem;
    });
  }

  #tell(event: 'state-unreadable' | 'state-not-written', problem: string): void {
    this.#deps.log.event(event, { file: this.#file?.path ?? '', problems: [problem] });
  }
}
