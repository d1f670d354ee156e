/**
 * Requests: a callback is tried at one backend after the other, where that is safe and affordable.
 */
import type { BackendId } from '../core/brand.js';
import type { Clock, Timers } from '../core/clock.js';
import type { Random } from '../core/random.js';
import type { PoolSettings } from '../core/spec.js';
import type { Lease } from '../pool/selection.js';
import { backoffMs } from './backoff.js';
import type { Counts } from './counts.js';
import { Durations } from './durations.js';
import type { Backend } from './entry.js';
import { NoBackendError } from './errors.js';
import type { Callback, ExecuteOptions, FailedTry } from './execute_options.js';
import { hedged } from './hedged.js';
import { Try, type TryFailed, type TryLimits, type TryOutcome } from './one_try.js';
import { mustBeCallback, type ReadExecute, readExecute } from './read_calls.js';
import { RetryBudget } from './retry_budget.js';
import { abortablePause, Scope, unlessOver } from './scope.js';
import type { Leasing } from './waiting.js';

export interface ExecutorDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly waiting: Leasing;
  readonly counts: Counts;
  readonly settings: () => PoolSettings;
  readonly backendOf: (id: BackendId) => Backend;
  readonly took: (lease: Lease, tookMs: number) => void;
}

/** A request on its way. */
interface Request<T> {
  readonly callback: Callback<T>;
  readonly asked: ReadExecute;
  readonly scope: Scope;
  readonly limits: TryLimits;
  tried: BackendId[] | null;
}

export class Executor {
  readonly #deps: ExecutorDeps;
  readonly #budget = new RetryBudget();
  readonly #durations = new Durations();

  constructor(deps: ExecutorDeps) {
    this.#deps = deps;
  }

  /** Two promises a request, and the callback's own: each further one costs as much as a choice. */
  execute<T>(callback: Callback<T>, options: ExecuteOptions | undefined): Promise<T> {
    try {
      return this.#tries(this.#begin(callback, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #begin<T>(callback: Callback<T>, options: ExecuteOptions | undefined): Request<T> {
    const { clock, timers, counts } = this.#deps;
    mustBeCallback(callback);
    const asked = readExecute(options);
    const { signal, timeoutMs, tryTimeoutMs: limitMs, hedgePercentile } = asked;
    signal?.throwIfAborted();
    const scope = new Scope(timers, signal, timeoutMs);
    this.#budget.request(clock.nowMs());
    counts.requests++;
    return {
      callback,
      asked,
      scope,
      limits: { outer: scope.signal, limitMs, lose: hedgePercentile === null ? 'never' : 'may' },
      tried: null,
    };
  }

  async #tries<T>(request: Request<T>): Promise<T> {
    const { scope, asked } = request;
    const retries = asked.retries ?? this.#deps.settings().retries;
    let last: unknown;
    try {
      for (let attempt = 1; ; attempt++) {
        let lease: Lease;
        try {
          const taken = this.#deps.waiting.take(this.#asker(request));
          lease = taken instanceof Promise ? await taken : taken;
        } catch (error) {
          // No backend is left to try: the error of the last one says more.
          if (request.tried !== null && error instanceof NoBackendError) throw last;
          throw error;
        }
        if (scope.isOver) {
          lease.settle('neutral');
          throw scope.signal?.reason;
        }
        const outcome = await this.#round(request, lease, attempt);
        if (outcome.kind === 'done') {
          this.#durations.add(outcome.tookMs);
          return outcome.value;
        }
        last = outcome.error;
        if (scope.isOver) throw scope.signal?.reason;
        if (attempt > retries) throw last;
        await this.#goOn(request, outcome, attempt);
      }
    } finally {
      scope.end();
    }
  }

  /** Returns where another try is safe and affordable; throws the error otherwise. */
  async #goOn<T>(
    { asked, scope }: Request<T>,
    { error, blame, backend }: TryFailed,
    attempt: number,
  ): Promise<void> {
    const { clock, timers, random, counts } = this.#deps;
    if (blame === 'own' || blame === 'ended') throw error;
    if (blame === 'unknown') {
      if (!(await isSafe(asked.retryIf, error, { backend, attempt }, scope))) throw error;
      if (!this.#budget.tryRetry(clock.nowMs())) throw error;
      await abortablePause(timers, backoffMs(attempt, random), scope.signal);
    }
    counts.retries++;
  }

  #round<T>(request: Request<T>, lease: Lease, attempt: number): Promise<TryOutcome<T>> {
    const { callback, asked } = request;
    const { hedgePercentile: percentile } = asked;
    const first = this.#try(request, lease, attempt);
    if (percentile === null) return first.run(callback);
    return hedged(first, callback, {
      timers: this.#deps.timers,
      afterMs: this.#durations.percentileMs(percentile),
      second: () => this.#second(request, attempt),
    });
  }

  /** A hedge costs what a retry costs, and does not wait. */
  #second<T>(request: Request<T>, attempt: number): Try<T> | null {
    const { waiting, clock, counts } = this.#deps;
    const selection = waiting.choose(this.#asker(request));
    if (selection.kind !== 'chosen') return null;
    if (!this.#budget.tryRetry(clock.nowMs())) {
      selection.lease.settle('neutral');
      return null;
    }
    counts.hedges++;
    return this.#try(request, selection.lease, attempt);
  }

  #try<T>(request: Request<T>, lease: Lease, attempt: number): Try<T> {
    const { id } = lease.backend;
    request.tried = request.tried === null ? [id] : [...request.tried, id];
    return new Try<T>(this.#deps, lease, this.#deps.backendOf(id), attempt, request.limits);
  }

  #asker<T>({ asked, tried, scope }: Request<T>) {
    return { clientKey: asked.clientKey, tried, signal: scope.signal };
  }
}

/**
 * What `retryIf` says. One that fails says no: the caller gets the error that it asked about, which
 * says more, and the process is warned of its own.
 */
async function isSafe(
  retryIf: ExecuteOptions['retryIf'],
  error: unknown,
  about: FailedTry,
  scope: Scope,
): Promise<boolean> {
  try {
    return (await unlessOver(retryIf?.(error, about), scope.signal)) === true;
  } catch (own) {
    if (scope.isOver) throw own;
    process.emitWarning(own instanceof Error ? own : new Error(String(own)));
    return false;
  }
}
