/**
 * One owner of what changes the daemon: a start, a reload, addresses that changed, rows that are
 * given back. One at a time, in the order in which they came, and a stop outranks all: once it has
 * begun, nothing that waits begins any more, and what is under way does not wait any longer.
 */
import { escalate, SharedInvariantError } from '../core/assert.js';
import { err, type Result } from '../core/result.js';

/** Why a change was not made, in sentences for people. */
export type Refusal = readonly string[];

export const OVERRULED: Refusal = ['sluice is stopping, and a stop outranks every other change'];

/** What cannot be changed here any more. */
export const SUCCEEDED: Refusal = [
  'another process has taken the place of this one: ask again, and it answers',
];

export class ChangeQueue {
  #last: Promise<unknown> = Promise.resolve();
  #state: 'open' | 'stopping' = 'open';
  #why: Refusal = OVERRULED;
  #tellStopped: () => void = () => {};
  readonly #stopped = new Promise<void>((resolve) => {
    this.#tellStopped = resolve;
  });

  /** True from the moment a stop begins: to be asked again after each await. */
  get overruled(): boolean {
    return this.#state === 'stopping';
  }

  /** Resolves when a stop begins. */
  get whenOverruled(): Promise<void> {
    return this.#stopped;
  }

  /** Why nothing begins any more. */
  get refusal(): Refusal {
    return this.#why;
  }

  /** From now on a stop is under way, whenever its own work follows; `why` nothing else begins. */
  overrule(why: Refusal = OVERRULED): void {
    if (!this.overruled) this.#why = why;
    this.#state = 'stopping';
    this.#tellStopped();
  }

  /**
   * Runs `work` when it is its turn; once a stop has begun, it is refused at once. Whatever it
   * throws is a refusal too, but for what was thrown when it had begun to act
   * (SharedInvariantError): that is no answer to a caller.
   */
  run<T>(work: () => Promise<Result<T, Refusal>>): Promise<Result<T, Refusal>> {
    const turn = async (): Promise<Result<T, Refusal>> => {
      if (this.overruled) return err(this.#why);
      try {
        return await work();
      } catch (error) {
        if (error instanceof SharedInvariantError) throw error;
        return err([error instanceof Error ? error.message : String(error)]);
      }
    };
    // The work of a stop lasts for as long as its sessions may.
    if (this.overruled) return Promise.resolve(err(this.#why));
    const done = this.#last.then(turn);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Runs the work of a stop: after what is under way has come to its end, which is soon. */
  stop<T>(work: () => Promise<T>): Promise<T> {
    this.overrule();
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Waits for `event`, but no longer than until a stop begins. */
  async unlessOverruled(event: Promise<unknown>): Promise<void> {
    await Promise.race([event, this.#stopped]);
  }
}

/**
 * What breaks in `work` leaves it half done, and what is half done is no refusal: the process ends.
 */
export async function noWayBack<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    return escalate(error);
  }
}
