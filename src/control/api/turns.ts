/**
 * The turn of each request, in the order in which they came. Answers are made within a turn of the
 * loop for a moment; then everything else of the thread has its turn, and so between any two that
 * waited. So however much is asked of the API at once, probes, `/healthz` and signals wait for one
 * answer at most, or for several that are quick.
 */
import type { Clock } from '../../core/clock.js';

/** As long as the others may wait; an answer that takes longer is the last one of its turn. */
const MOMENT_MS = 1;

export class ApiTurns {
  readonly #waiting: (() => void)[] = [];
  readonly #later: (task: () => void) => void;
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** When the first answer of this turn of the loop was begun; null: none was. */
  #beganMs: number | null = null;

  /** `later` runs a task when what has happened meanwhile has been dealt with. */
  constructor(later: (task: () => void) => void, clock: Pick<Clock, 'nowMs'>) {
    this.#later = later;
    this.#clock = clock;
  }

  /** Whether the caller's turn is now; what it does then must be over when it awaits. */
  take(): boolean {
    if (this.#waiting.length > 0) return false;
    const nowMs = this.#clock.nowMs();
    if (this.#beganMs !== null) return nowMs - this.#beganMs < MOMENT_MS;
    this.#beganMs = nowMs;
    this.#later(() => {
      this.#beganMs = null;
    });
    return true;
  }

  /** Resolves when it is the caller's turn, later. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#later(() => this.#goOn());
    });
  }

  #goOn(): void {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#later(() => this.#goOn());
  }
}
