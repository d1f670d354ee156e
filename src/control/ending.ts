/**
 * The end of the process, which comes whatever else fails: a reader of the log that does not read,
 * a name server, a worker or a client that does not answer. It has a limit of its own, and then
 * waits for nothing; after a second signal it waits for the last lines of the log only.
 */
import type { Timers } from '../core/clock.js';
import { exitNow } from '../kernel/exit.js';
import { loadKernel } from '../kernel/foreign.js';
import type { Log } from '../observe/log.js';

/** Beyond `shutdown_timeout`: what closing the last sessions and threads may take. */
export const OVERTIME_MS = 1_400;

export interface ProcessEndingDeps {
  readonly log: Log;
  readonly timers: Timers;
  /** TCP sessions and UDP flows that are not over. */
  readonly sessions: () => number;
}

export class ProcessEnding {
  readonly #deps: ProcessEndingDeps;
  #state: 'running' | 'ending' | 'forced' = 'running';
  /** What is being waited for, in words. */
  #stage = 'the last changes';

  constructor(deps: ProcessEndingDeps) {
    this.#deps = deps;
  }

  /** The stop begins: from now on the process has `shutdownTimeoutMs` and a little more. */
  begin(shutdownTimeoutMs: number): void {
    if (this.#state === 'forced') endNow(0);
    if (this.#state === 'ending') return this.#force(`a second signal; ${this.#stage} were left`);
    this.#state = 'ending';
    this.#deps.timers.after(shutdownTimeoutMs + OVERTIME_MS, () => {
      if (this.#state === 'ending') this.#force(`the time is over; ${this.#stage} were left`);
    });
  }

  #force(detail: string): void {
    this.#state = 'forced';
    const { log, sessions } = this.#deps;
    log.event('end-forced', { detail, sessions: sessions() });
    void this.finish(0);
  }

  /** Says what is waited for from now on. */
  waitsFor(stage: string): void {
    this.#stage = stage;
  }

  /** Writes what is left of the log, if it is read, and ends. */
  async finish(code: 0 | 1): Promise<never> {
    await this.#deps.log.flush();
    return endNow(code);
  }
}

/** Ends the process, whatever its threads wait for. */
export function endNow(code: 0 | 1): never {
  const kernel = loadKernel();
  return exitNow(kernel.ok ? kernel.value : null, code);
}
