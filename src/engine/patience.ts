/**
 * How long a target is waited for whose source is gone: as long as it takes what the source has
 * left, fast enough to have all of it in LINGER_MS. One that takes nothing has STANDSTILL_MS from
 * the last byte that it took, also if that was before the source went; and so has, from then on,
 * one that takes so little that it could not end in time.
 */
import { LINGER_MS, STANDSTILL_MS } from '../session/tcp_port.js';

/** A target that is this many times too slow at first may still catch up. */
const SLACK = 2;

export class Patience {
  readonly #sinceMs: number;
  /** When the target has last taken something, and what it had not got then. */
  #movedMs: number;
  #leftBytes = Number.POSITIVE_INFINITY;
  #firstBytes = 0;

  /** `stoodMs`: for how long the target has taken nothing, although there was something. */
  constructor(nowMs: number, stoodMs: number) {
    this.#sinceMs = nowMs;
    this.#movedMs = nowMs - stoodMs;
  }

  /**
   * True when the target is not worth waiting for. `leftBytes`: what it has not got yet, wherever
   * that stands; the first call says how much there is in all.
   */
  isOver(nowMs: number, leftBytes: number): boolean {
    if (leftBytes < this.#leftBytes) {
      if (this.#leftBytes === Number.POSITIVE_INFINITY) this.#firstBytes = leftBytes;
      else this.#movedMs = nowMs;
      this.#leftBytes = leftBytes;
    }
    if (nowMs - this.#movedMs >= STANDSTILL_MS) return true;
    const passedMs = nowMs - this.#sinceMs;
    if (passedMs < STANDSTILL_MS) return false;
    const takenBytes = this.#firstBytes - leftBytes;
    const tooSlow = takenBytes * SLACK * LINGER_MS < this.#firstBytes * passedMs;
    return tooSlow || passedMs >= LINGER_MS;
  }
}
