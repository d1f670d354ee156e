/**
 * When attempts that are due may start: the number in flight is limited, and so is the number that
 * start per second. Those that must wait start in the order in which they became due, so that all
 * intervals stretch alike; but a target between verdicts goes first, because sessions may depend on
 * it.
 */
import { assert } from '../core/assert.js';
import type { Clock, Timer, Timers } from '../core/clock.js';

/** `between-verdicts`: without one yet, or the last results spoke against the one that stands. */
export type StartRank = 'between-verdicts' | 'settled';

/** This many that are between verdicts start in a row before a settled one that waits. */
const FIRST_IN_A_ROW = 3;
/** What may be made up for at once when a timer was late. */
const LATE_MS = 10;

export interface StartsDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Attempts in flight at once, 1 or more. */
  readonly inFlight: number;
}

export class Starts {
  readonly #deps: StartsDeps;
  readonly #first = new Set<() => void>();
  readonly #settled = new Set<() => void>();
  #inARow = 0;
  #busy = 0;
  #state: 'open' | 'paused' = 'open';
  /** 0: as many as there are. */
  #perSecond = 0;
  /** Clock: when the next one may start, were nothing late. */
  #nextMs = 0;
  #timer: Timer | null = null;
  #idleWaiters: (() => void)[] = [];

  constructor(deps: StartsDeps) {
    assert(deps.inFlight >= 1, 'at least one attempt may be in flight');
    this.#deps = deps;
  }

  /** Attempts in flight. */
  get busy(): number {
    return this.#busy;
  }

  /** Starts per second from now on; 0: as many as there are. */
  limit(perSecond: number): void {
    if (perSecond === this.#perSecond) return;
    this.#perSecond = perSecond;
    this.#nextMs = this.#deps.clock.nowMs();
    this.#go();
  }

  /** From now on none starts; those that become due wait for `resume`. */
  pause(): void {
    this.#state = 'paused';
  }

  resume(): void {
    this.#state = 'open';
    this.#go();
  }

  /** Calls `begin` now, or when its turn comes; one `release` must follow each call. */
  acquire(begin: () => void, standing: StartRank): void {
    if (this.#waiting === 0 && this.#busy < this.#deps.inFlight && this.#mayStart()) {
      this.#busy++;
      begin();
      return;
    }
    (standing === 'settled' ? this.#settled : this.#first).add(begin);
    this.#go();
  }

  /** Takes `begin` out of the queue; nothing happens when it is not there. */
  withdraw(begin: () => void): void {
    this.#first.delete(begin);
    this.#settled.delete(begin);
    if (this.#waiting === 0) this.#cancelTimer();
  }

  /** An attempt is no longer in flight. */
  release(): void {
    assert(this.#busy > 0, 'a slot is released once for each time that it was taken');
    this.#busy--;
    this.#go();
    if (this.#busy > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** Resolves when no attempt is in flight. */
  idle(): Promise<void> {
    if (this.#busy === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  get #waiting(): number {
    return this.#first.size + this.#settled.size;
  }

  #go(): void {
    while (this.#waiting > 0 && this.#busy < this.#deps.inFlight) {
      if (!this.#mayStart()) return;
      const begin = this.#takeNext();
      this.#busy++;
      begin();
    }
  }

  /** Counts a start; when it is too early, a timer goes on at its time. */
  #mayStart(): boolean {
    if (this.#state === 'paused') return false;
    if (this.#perSecond === 0) return true;
    const now = this.#deps.clock.nowMs();
    const earlyMs = this.#nextMs - now;
    if (earlyMs <= 0) {
      this.#nextMs = Math.max(this.#nextMs, now - LATE_MS) + 1000 / this.#perSecond;
      return true;
    }
    this.#timer ??= this.#deps.timers.after(earlyMs, () => {
      this.#timer = null;
      this.#go();
    });
    return false;
  }

  #takeNext(): () => void {
    const [first] = this.#first;
    const [settled] = this.#settled;
    const isFirst = first !== undefined && (settled === undefined || this.#inARow < FIRST_IN_A_ROW);
    this.#inARow = isFirst ? this.#inARow + 1 : 0;
    const begin = isFirst ? first : settled;
    assert(begin !== undefined, 'a target waits');
    (isFirst ? this.#first : this.#settled).delete(begin);
    return begin;
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
