/**
 * One try of a request: a lease and a callback. The lease is settled exactly once whatever the
 * callback does: it answers, throws, hangs, or goes on after it is not waited for any more.
 */
import type { Clock, Timer, Timers } from '../core/clock.js';
import { type Lease, type Settlement, UNANSWERED_MS } from '../pool/selection.js';
import { onAbort } from './abort.js';
import type { Backend } from './entry.js';
import { TryTimeoutError } from './errors.js';
import type { Callback, TryContext } from './execute_options.js';
import { type Blame, blameOf } from './failure.js';

export type TryOutcome<T> =
  | { readonly kind: 'done'; readonly value: T; readonly tookMs: number }
  | TryFailed;

export interface TryFailed {
  readonly kind: 'failed';
  readonly error: unknown;
  /** `ended`: the request is over, or another try was faster. */
  readonly blame: Blame | 'ended';
  readonly backend: Backend;
}

export interface TryDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  /** A try took `tookMs` at the backend of `lease`. */
  readonly took: (lease: Lease, tookMs: number) => void;
}

export interface TryLimits {
  /** Of the request as a whole. */
  readonly outer: AbortSignal | undefined;
  readonly limitMs: number | null;
  /** `may`: another try may make this one needless. */
  readonly lose: 'may' | 'never';
}

const LOST = 'another try was faster';

export class Try<T> implements TryContext {
  readonly attempt: number;
  readonly lease: Lease;
  readonly backend: Backend;
  readonly #deps: TryDeps;
  readonly #limits: TryLimits;
  #controller: AbortController | null = null;
  #state: 'running' | 'settled' = 'running';
  #timer: Timer | null = null;
  #end: ((error: unknown) => void) | null = null;
  #unheard = (): void => {};
  #ended: 'no' | 'yes' = 'no';

  constructor(deps: TryDeps, lease: Lease, backend: Backend, attempt: number, limits: TryLimits) {
    this.#deps = deps;
    this.lease = lease;
    this.backend = backend;
    this.attempt = attempt;
    this.#limits = limits;
  }

  /** Made when it is asked for: a controller costs as much as everything else together. */
  get signal(): AbortSignal {
    const { outer } = this.#limits;
    if (outer !== undefined && !this.#endsAlone) return outer;
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  async run(callback: Callback<T>): Promise<TryOutcome<T>> {
    const { clock } = this.#deps;
    const sinceMs = clock.nowMs();
    try {
      const called = callback(this.backend, this);
      const isLimited = this.#limits.outer !== undefined || this.#endsAlone;
      const value = await (isLimited ? this.#limited(called) : called);
      const tookMs = clock.nowMs() - sinceMs;
      if (this.#state === 'running') {
        this.lease.answered(tookMs);
        this.#deps.took(this.lease, tookMs);
        this.#settle('served');
      }
      return { kind: 'done', value, tookMs };
    } catch (error) {
      return this.#failed(error, clock.nowMs() - sinceMs);
    } finally {
      this.#timer?.cancel();
      this.#unheard();
    }
  }

  /** Another try was faster: says nothing about this backend. */
  lose(): void {
    this.#settle('neutral');
    this.#cut(new DOMException(LOST, 'AbortError'));
  }

  get #endsAlone(): boolean {
    return this.#limits.limitMs !== null || this.#limits.lose === 'may';
  }

  #limited(called: T | PromiseLike<T>): Promise<T> {
    const { outer, limitMs } = this.#limits;
    return new Promise<T>((resolve, reject) => {
      this.#end = reject;
      if (limitMs !== null) {
        const late = (): void => {
          const error = new TryTimeoutError(this.backend.name, limitMs);
          this.#end?.(error);
          this.#controller?.abort(error);
        };
        this.#timer = this.#deps.timers.after(limitMs, late);
      }
      if (outer !== undefined) {
        const ends = (): void => this.#cut(outer.reason);
        if (outer.aborted) ends();
        else this.#unheard = onAbort(outer, ends);
      }
      Promise.resolve(called).then(resolve, reject);
    });
  }

  /** Not waited for any more. */
  #cut(reason: unknown): void {
    this.#ended = 'yes';
    this.#end?.(reason);
    this.#controller?.abort(reason);
  }

  #failed(error: unknown, afterMs: number): TryFailed {
    const { backend } = this;
    if (this.#ended === 'yes' || this.#limits.outer?.aborted === true) {
      this.#settle(afterMs >= UNANSWERED_MS ? 'unanswered' : 'neutral');
      return { kind: 'failed', error, blame: 'ended', backend };
    }
    const blame = blameOf(error);
    this.#settle(blame === 'own' ? 'neutral' : 'failed');
    return { kind: 'failed', error, blame, backend };
  }

  #settle(settlement: Settlement): void {
    if (this.#state === 'settled') return;
    this.#state = 'settled';
    this.lease.settle(settlement);
  }
}
