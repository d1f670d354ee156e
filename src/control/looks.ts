/**
 * The looks of the main thread at everything that may change by itself: one after the other, at the
 * pace of look_pace.ts. A rest ends as soon as a worker stirs.
 */
import type { Clock, Timer, Timers } from '../core/clock.js';
import { BUSY_MS, type LookPace } from './look_pace.js';

export interface LooksDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly pace: Pick<LookPace, 'wakes' | 'next'>;
  readonly look: (nowMs: number) => void;
  /** There will be nothing to look at any more. */
  readonly isOver: () => boolean;
}

export class Looks {
  readonly #deps: LooksDeps;
  #next: Timer | null = null;
  #state: 'at work' | 'at rest' = 'at work';

  constructor(deps: LooksDeps) {
    this.#deps = deps;
  }

  /** Looks now, and from now on until it is over. */
  begin(): void {
    const { clock, pace, look, isOver } = this.#deps;
    if (isOver()) return;
    pace.wakes();
    look(clock.nowMs());
    const { delayMs, kind } = pace.next(clock.nowMs());
    this.#state = kind;
    // So that the gap until the next reading is not taken for a standstill.
    clock.rests?.(kind === 'at rest' ? delayMs : 0);
    this.#later(delayMs);
  }

  /** Something happens again that is to be looked at. */
  soon(): void {
    if (this.#state === 'at work') return;
    this.#state = 'at work';
    this.#next?.cancel();
    this.#deps.clock.rests?.(0);
    this.#later(BUSY_MS);
  }

  #later(delayMs: number): void {
    this.#next = this.#deps.timers.after(delayMs, () => this.begin());
  }
}
