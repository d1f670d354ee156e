/**
 * Which plan each worker has applied. One that has no thread applies none and has nothing open: it
 * is not waited for, and its next thread begins with the newest plan.
 */
import type { WorkerId } from '../core/brand.js';

export class PlanAcks {
  /** By worker; null: it has no thread. */
  readonly #versions: (number | null)[];
  #waiting: { readonly version: number; readonly resolve: () => void }[] = [];

  constructor(workers: number) {
    this.#versions = Array.from({ length: workers }, () => 0);
  }

  acknowledge(worker: WorkerId, version: number): void {
    if (this.isHere(worker)) this.#set(worker, version);
  }

  isHere(worker: WorkerId): boolean {
    return this.#versions[worker] !== null;
  }

  leaves(worker: WorkerId): void {
    this.#set(worker, null);
  }

  joins(worker: WorkerId): void {
    this.#set(worker, 0);
  }

  /** Resolves when every worker that has a thread has applied plan `version` or a newer one. */
  reached(version: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#reached() >= version) resolve();
      else this.#waiting.push({ version, resolve });
    });
  }

  #set(worker: WorkerId, version: number | null): void {
    this.#versions[worker] = version;
    const reached = this.#reached();
    const due = this.#waiting.filter((wait) => wait.version <= reached);
    this.#waiting = this.#waiting.filter((wait) => wait.version > reached);
    for (const wait of due) wait.resolve();
  }

  #reached(): number {
    return Math.min(...this.#versions.map((version) => version ?? Number.POSITIVE_INFINITY));
  }
}
