/**
 * The cached state of the checks of an application. Checks run by their own intervals and never
 * because of a request: a crowd of probes must not become a crowd of queries.
 */
import type { Clock, Timer, Timers } from '../core/clock.js';
import { messageOf } from './words.js';

export interface CheckOptions {
  /** Rejects, throws or answers `false` where something is wrong. */
  readonly run: (about: { readonly signal: AbortSignal }) => unknown;
  /** `critical` (default): without it the application is not ready. */
  readonly kind?: 'critical' | 'optional';
  /** Between two runs, in ms; default 5,000. */
  readonly intervalMs: number;
  /** Of one run; default 1,000. */
  readonly timeoutMs: number;
}

export interface CheckState {
  readonly name: string;
  readonly kind: 'critical' | 'optional';
  readonly status: 'pending' | 'pass' | 'fail';
  /** Why it fails; '' where it does not. */
  readonly detail: string;
  /** Wall clock: when it ran last; 0: never. */
  readonly atMs: number;
  readonly tookMs: number;
}

export interface CheckDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  /** For the first run, which `createHealth` waits for: the process does not end meanwhile. */
  readonly waits: Timers;
}

export class HealthCheck {
  readonly #options: CheckOptions;
  readonly #deps: CheckDeps;
  #state: CheckState;
  #timer: Timer | null = null;
  #life: 'running' | 'stopped' = 'running';

  constructor(name: string, options: CheckOptions, deps: CheckDeps) {
    const { kind = 'critical' } = options;
    this.#options = options;
    this.#deps = deps;
    this.#state = { name, kind, status: 'pending', detail: '', atMs: 0, tookMs: 0 };
  }

  get state(): CheckState {
    return this.#state;
  }

  /** Runs it now, and from now on by its interval; resolves after the first run. */
  start(): Promise<void> {
    return this.#run(this.#deps.waits);
  }

  async #run(limits: Timers): Promise<void> {
    const { clock, timers } = this.#deps;
    const beganMs = clock.nowMs();
    const detail = await this.#once(limits);
    if (this.#life === 'stopped') return;
    this.#state = {
      ...this.#state,
      status: detail === null ? 'pass' : 'fail',
      detail: detail ?? '',
      atMs: clock.wallMs(),
      tookMs: clock.nowMs() - beganMs,
    };
    this.#timer = timers.after(this.#options.intervalMs, () => void this.#run(timers));
  }

  stop(): void {
    this.#life = 'stopped';
    this.#timer?.cancel();
  }

  /** null: all is well. */
  #once(limits: Timers): Promise<string | null> {
    const { run, timeoutMs } = this.#options;
    const limit = new AbortController();
    return new Promise((resolve) => {
      const late = `it took longer than ${timeoutMs} ms`;
      const timer = limits.after(timeoutMs, () => {
        limit.abort(new DOMException(late, 'TimeoutError'));
        end(late);
      });
      const end = (detail: string | null): void => {
        timer.cancel();
        resolve(detail);
      };
      const failed = (error: unknown): void => end(messageOf(error));
      new Promise((begin) => begin(run({ signal: limit.signal }))).then(
        (answer) => end(answer === false ? 'it answered false' : null),
        failed,
      );
    });
  }
}
