/** A stream of items that tests wait on: lines of a process, records of a log. */
import { PATIENCE_MS, within } from './deadline.js';

interface Waiter<T> {
  readonly matches: (item: T) => boolean;
  readonly resolve: (item: T) => void;
  readonly reject: (error: Error) => void;
}

export class Feed<T> {
  readonly past: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();
  readonly #listeners: ((item: T) => void)[] = [];
  #ended: string | null = null;

  push(item: T): void {
    this.past.push(item);
    for (const listener of this.#listeners) listener(item);
    for (const waiter of this.#waiters) {
      if (!waiter.matches(item)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(item);
    }
  }

  /** Calls `listener` for every item from now on. */
  each(listener: (item: T) => void): void {
    this.#listeners.push(listener);
  }

  /** Nothing more will come: those that wait get `why`. */
  end(why: string): void {
    this.#ended = why;
    for (const waiter of this.#waiters) waiter.reject(new Error(why));
    this.#waiters.clear();
  }

  /** The first item, past or future, that matches. */
  first(what: string, matches: (item: T) => boolean, limitMs: number = PATIENCE_MS): Promise<T> {
    const known = this.past.find(matches);
    return known === undefined ? this.next(what, matches, limitMs) : Promise.resolve(known);
  }

  /** The first item that matches and comes after this call. */
  next(what: string, matches: (item: T) => boolean, limitMs: number = PATIENCE_MS): Promise<T> {
    if (this.#ended !== null) return Promise.reject(new Error(`${this.#ended}, before: ${what}`));
    const promise = new Promise<T>((resolve, reject) => {
      this.#waiters.add({ matches, resolve, reject });
    });
    return within(what, promise, limitMs);
  }
}
