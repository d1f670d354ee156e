/** Where the daemon is in its life. */
import type { Clock } from '../core/clock.js';

/** `leaving`: as serving, but for `/ready`, until `leave_delay` is over. */
export type DaemonPhase = 'starting' | 'serving' | 'leaving' | 'stopping';

export class Life {
  readonly #clock: Clock;
  #phase: DaemonPhase = 'starting';
  #leavesAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get phase(): DaemonPhase {
    return this.#phase;
  }

  get serves(): boolean {
    return this.#phase === 'serving' || this.#phase === 'leaving';
  }

  /** How long clients are still accepted while it leaves. */
  get leavesInMs(): number {
    return Math.max(0, this.#leavesAtMs - this.#clock.nowMs());
  }

  serve(): void {
    this.#phase = 'serving';
  }

  /** New clients should not be sent here; those that come are served as before. */
  leave(delayMs: number): void {
    this.#phase = 'leaving';
    this.#leavesAtMs = this.#clock.nowMs() + delayMs;
  }

  stop(): void {
    this.#phase = 'stopping';
  }
}
