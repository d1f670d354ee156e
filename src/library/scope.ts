/** How long a request may go on: the caller's signal and one deadline over all of its tries. */
import type { Timer, Timers } from '../core/clock.js';
import { onAbort } from './abort.js';
import { deadlineError } from './errors.js';

export class Scope {
  /** undefined: nothing ends it. */
  readonly signal: AbortSignal | undefined;
  readonly #timer: Timer | null;
  readonly #forget: () => void;

  constructor(timers: Timers, outer: AbortSignal | undefined, limitMs: number | null) {
    if (limitMs === null) {
      this.signal = outer;
      this.#timer = null;
      this.#forget = nothing;
      return;
    }
    const controller = new AbortController();
    this.signal = controller.signal;
    this.#timer = timers.after(limitMs, () => controller.abort(deadlineError(limitMs)));
    this.#forget =
      outer === undefined ? nothing : onAbort(outer, () => controller.abort(outer.reason));
  }

  get isOver(): boolean {
    return this.signal?.aborted === true;
  }

  end(): void {
    this.#timer?.cancel();
    this.#forget();
  }
}

/** What `work` comes to; rejects when `signal` aborts before. */
export function unlessOver<T>(
  work: T | PromiseLike<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return Promise.resolve(work);
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    const forget = onAbort(signal, leave);
    if (signal.aborted) leave();
    Promise.resolve(work).then(resolve, reject).finally(forget);
  });
}

/** Resolves after `delayMs`; rejects when `signal` aborts. */
export function abortablePause(
  timers: Timers,
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let forget = nothing;
    const timer = timers.after(delayMs, () => {
      forget();
      resolve();
    });
    const leave = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    if (signal?.aborted === true) leave();
    else if (signal !== undefined) forget = onAbort(signal, leave);
  });
}

function nothing(): void {}
