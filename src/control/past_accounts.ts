/**
 * What rows of counters had counted when they were given back, by the name of what they belonged
 * to: if it comes back, it counts on from there. A bounded number of accounts is kept; of those
 * whose name is not in use the oldest go first. Time is an argument.
 */
import { COLUMNS } from '../core/series_layout.js';

export interface PastAccount<Subject> {
  readonly subject: Subject;
  /** Of COLUMNS cells. */
  readonly values: Float64Array;
  /** When something was added last. */
  readonly endedMs: number;
}

export class PastAccounts<Subject> {
  readonly #limit: number;
  /** What the last trim left; more than the limit where more names are in use. */
  #left = 0;
  /** Oldest first. */
  readonly #accounts = new Map<string, PastAccount<Subject>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(name: string): PastAccount<Subject> | undefined {
    return this.#accounts.get(name);
  }

  entries(): IterableIterator<[name: string, account: PastAccount<Subject>]> {
    return this.#accounts.entries();
  }

  add(name: string, subject: Subject, values: Float64Array, nowMs: number): void {
    const sum = this.#accounts.get(name)?.values ?? new Float64Array(COLUMNS);
    addTo(sum, values);
    this.#accounts.delete(name);
    this.#accounts.set(name, { subject, values: sum, endedMs: nowMs });
  }

  /** Many at once, and seldom: finding out what is in use costs something. */
  get isOverfull(): boolean {
    return this.#accounts.size > 1.25 * Math.max(this.#limit, this.#left);
  }

  /** Back to the limit; what is in use is kept beside it. */
  trim(inUse: ReadonlySet<string>): void {
    const unused = [...this.#accounts.keys()].filter((name) => !inUse.has(name));
    const most = Math.max(0, unused.length - this.#limit);
    for (const name of unused.slice(0, most)) this.#accounts.delete(name);
    this.#left = this.#accounts.size;
  }
}

export function addTo(sum: Float64Array, values: Float64Array): void {
  for (let at = 0; at < COLUMNS; at++) sum[at] = (sum[at] ?? 0) + (values[at] ?? 0);
}
