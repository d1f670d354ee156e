/** Which plan each worker has applied; a worker that is replaced applies the newest one later. */
import type { WorkerId } from '../core/brand.js';

export class PlanAcks {
  readonly #versions: number[];
  #waiting: { readonly version: number; readonly resolve: () => void }[] = [];

  constructor(workers: number) {
    this.#versions = Array.from({ length: workers }, () => 0);
  }

  acknowledge(worker: WorkerId, version: number): void {
    this.#versions[worker] = version;
    const reached = Math.min(...this.#versions);
    const due = this.#waiting.filter((wait) => wait.version <= reached);
    this.#waiting = this.#waiting.filter((wait) => wait.version > reached);
    for (const wait of due) wait.resolve();
  }

  /** Resolves when every worker has applied plan `version` or a newer one. */
  reached(version: number): Promise<void> {
    return new Promise((resolve) => {
      if (Math.min(...this.#versions) >= version) resolve();
      else this.#waiting.push({ version, resolve });
    });
  }
}
