/** How long a request may go on: the caller's signal and one deadline over all of its tries. */
import type { Timer, Timers } from '../core/clock.js';
import { deadlineError } from './errors.js';

export class Scope {
  /** undefined: nothing ends it. */
  readonly signal: AbortSignal | undefined;
  readonly #outer: AbortSignal | undefined;
  readonly #timer: Timer | null;
  readonly #forward: (() => void) | null;

  constructor(timers: Timers, outer: AbortSignal | undefined, limitMs: number | null) {
    this.#outer = outer;
    if (limitMs === null) {
      this.signal = outer;
      this.#timer = null;
      this.#forward = null;
      return;
    }
    const controller = new AbortController();
    this.signal = controller.signal;
    this.#timer = timers.after(limitMs, () => controller.abort(deadlineError(limitMs)));
    this.#forward = () => controller.abort(outer?.reason);
    outer?.addEventListener('abort', this.#forward, { once: true });
  }

  get isOver(): boolean {
    return this.signal?.aborted === true;
  }

  end(): void {
    this.#timer?.cancel();
    if (this.#forward !== null) this.#outer?.removeEventListener('abort', this.#forward);
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
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', leave));
  });
}

/** Resolves after `delayMs`; rejects when `signal` aborts. */
export function pause(
  timers: Timers,
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = timers.after(delayMs, () => {
      signal?.removeEventListener('abort', leave);
      resolve();
    });
    if (signal?.aborted === true) leave();
    else signal?.addEventListener('abort', leave, { once: true });
  });
}
