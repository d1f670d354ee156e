/** When work that is done in stretches has to let others have their turn. */
import type { Clock } from './clock.js';

/** The clock is read once per this many items. */
const ITEMS_PER_LOOK = 16;

export class Pace {
  readonly #clock: Clock;
  readonly #stretchMs: number;
  #untilMs = 0;
  #items = 0;

  constructor(clock: Clock, stretchMs: number) {
    this.#clock = clock;
    this.#stretchMs = stretchMs;
    this.begin();
  }

  /** A stretch begins. */
  begin(): void {
    this.#items = 0;
    this.#untilMs = this.#clock.nowMs() + this.#stretchMs;
  }

  /** To be asked before each item; true: the stretch is over. */
  isOver(): boolean {
    if (++this.#items % ITEMS_PER_LOOK !== 0) return false;
    return this.#clock.nowMs() >= this.#untilMs;
  }
}
