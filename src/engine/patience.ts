/**
 * How long a target is waited for whose source is gone: as long as it takes what the source has
 * left, fast enough to have all of it in LINGER_MS. One that takes nothing has STANDSTILL_MS, and
 * so has one that takes so little that it could not end in time.
 */
import { LINGER_MS, STANDSTILL_MS } from '../session/tcp_port.js';

/** Who is so many times too slow at first may still catch up. */
const SLACK = 2;

export class Patience {
  readonly #sinceMs: number;
  /** When the target has last taken something, and what it had not got then. */
  #movedMs: number;
  #leftBytes = Number.POSITIVE_INFINITY;
  #firstBytes = 0;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#movedMs = nowMs;
  }

  /**
   * True when the target is not worth waiting for. `leftBytes`: what it has not got yet, wherever
   * that stands; the first call tells how much there is in all.
   */
  isOver(nowMs: number, leftBytes: number): boolean {
    if (leftBytes < this.#leftBytes) {
      if (this.#leftBytes === Number.POSITIVE_INFINITY) this.#firstBytes = leftBytes;
      this.#leftBytes = leftBytes;
      this.#movedMs = nowMs;
    }
    if (nowMs - this.#movedMs >= STANDSTILL_MS) return true;
    const passedMs = nowMs - this.#sinceMs;
    if (passedMs < STANDSTILL_MS) return false;
    const takenBytes = this.#firstBytes - leftBytes;
    const tooSlow = takenBytes * SLACK * LINGER_MS < this.#firstBytes * passedMs;
    return tooSlow || passedMs >= LINGER_MS;
  }
}
