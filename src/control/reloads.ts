/** Reloads, one at a time, whether a signal or a command asks for them. */
import { err, type Result } from '../core/result.js';
import type { Log } from '../observe/log.js';
import type { Metrics } from '../observe/metrics.js';
import { monotonicUsec } from '../system/clock.js';
import type { Notifier } from '../system/notify.js';
import { SUCCEEDED } from './change_queue.js';
import type { Daemon } from './daemon.js';
import type { FileDifference, FileInUse } from './file_in_use.js';

/** What asks: the name of a signal, or of the user of a command. */
export interface Trigger {
  readonly signal: string | null;
  readonly by: string | null;
}

export type Reloaded = Result<FileDifference, readonly string[]>;

export interface ReloadsDeps {
  readonly file: string;
  readonly inUse: FileInUse;
  readonly daemon: Daemon;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly notifier: Notifier;
  /** The new file is in use: opens what could not be opened before. */
  readonly adopted: () => Promise<void>;
  /** Where the program has been replaced: starts it in the place of this one. */
  readonly insteadOfReload: () => Promise<'upgraded' | 'stays'>;
  /** A signal for the process that has taken the place of this one. */
  readonly passOn: (signal: string) => void;
}

export class Reloads {
  readonly #deps: ReloadsDeps;
  #last: Promise<unknown>;
  /** One that has not begun reads the file later than now: it does for all that ask. */
  #waiting: Promise<Reloaded> | null = null;

  /** What is asked for before `start` waits for it: the file was read. */
  constructor(deps: ReloadsDeps, start: Promise<void>) {
    this.#deps = deps;
    this.#last = start;
  }

  ask(trigger: Trigger): Promise<Reloaded> {
    this.#waiting ??= this.#enqueue(trigger);
    return this.#waiting;
  }

  #enqueue(trigger: Trigger): Promise<Reloaded> {
    const done = this.#last.then(() => {
      this.#waiting = null;
      return this.#reload(trigger);
    });
    this.#last = done;
    return done;
  }

  async #reload(trigger: Trigger): Promise<Reloaded> {
    const { daemon, file, log, notifier, metrics, inUse, adopted, insteadOfReload } = this.#deps;
    if (daemon.phase !== 'serving') return this.#outranked(trigger);
    notifier.reloading(monotonicUsec());
    log.event('reloading', { file, ...trigger });
    if (trigger.signal !== null && inUse.spec.daemon.reloadUpgrades) {
      if ((await insteadOfReload()) === 'upgraded') return err(SUCCEEDED);
    }
    const done = await inUse.adopt(daemon);
    if (done.ok) {
      await adopted();
      notifier.status(`reloaded: ${done.value.summary}`);
    } else {
      // The stop has outranked it: that is no fault of the file.
      if (daemon.phase !== 'serving') return this.#outranked(trigger);
      log.event('reload-failed', { file, problems: done.error });
      notifier.status(`the last reload was refused: ${done.error[0]}`);
    }
    metrics.reload(done.ok ? 'success' : 'failure');
    // The service manager knows that the daemon stops, and must not be sent anything else.
    if (daemon.phase === 'serving') notifier.ready();
    return done;
  }

  /** By a stop, or because another process serves by now. */
  #outranked({ signal }: Trigger): Reloaded {
    if (this.#deps.daemon.handover.isDone) {
      if (signal !== null) this.#deps.passOn(signal);
      return err(SUCCEEDED);
    }
    if (signal !== null) this.#deps.log.event('signal-ignored', { signal });
    return err(['sluice is stopping, and reloads nothing any more']);
  }
}
