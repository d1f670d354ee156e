/**
 * Counts how often V8 enters a block of our compiled code (function bodies, loops, branches) while
 * some work is done: what an algorithm costs in steps, on any machine, whatever else it does.
 */
import { Session } from 'node:inspector/promises';

export class StepCounter {
  readonly #session = new Session();
  readonly #folders: readonly string[];

  /**
   * `folders`: parts of the paths of the scripts that count. Nothing of them may have run before:
   * what V8 has compiled already has no counters.
   */
  constructor(...folders: readonly string[]) {
    this.#folders = folders;
  }

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Steps since the start, or the last call. */
  async take(): Promise<number> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    let steps = 0;
    for (const { url, functions } of result) {
      if (!this.#folders.some((folder) => url.includes(folder))) continue;
      for (const { ranges } of functions) for (const { count } of ranges) steps += count;
    }
    return steps;
  }

  stop(): void {
    this.#session.disconnect();
  }
}
