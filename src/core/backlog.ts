/**
 * How long to wait for room at a unix socket whose backlog is full. It makes a connect(2) that may
 * block wait, and answers any other one with EAGAIN (unix(7)); TCP answers nothing and tries again
 * by itself. So dials and probes try again until they are given up: a burst is served like one over
 * TCP, and a backend that never accepts costs the timeout.
 */
export const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 80;
/** Its multiples are spread evenly between whole numbers: 2 / (1 + the square root of 5). */
const GOLDEN = 0.618_033_988_75;

/** How long to wait after another full backlog. */
export function nextPauseMs(pauseMs: number): number {
  return Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
}

/** All waiters of one thread make about this many attempts together: each one costs 20 to 60 µs. */
const ATTEMPTS_PER_MS = 1;

/** Those that wait for room, in one thread. */
export class BacklogWaiters {
  readonly #later: (delayMs: number, then: () => void) => void;
  #count = 0;

  /** `later` calls back after the delay, always. */
  constructor(later: (delayMs: number, then: () => void) => void) {
    this.#later = later;
  }

  /** Calls `again` after `pauseMs`, or later where many wait. `number` identifies the waiter. */
  wait(pauseMs: number, number: number, again: () => void): void {
    this.#count++;
    this.#later(spreadMs(Math.max(pauseMs, this.#count / ATTEMPTS_PER_MS), number), () => {
      this.#count--;
      again();
    });
  }
}

/**
 * The pause of waiter `number`, half of it at least: hundreds that came back in one moment would
 * find a single free place, time after time.
 */
function spreadMs(pauseMs: number, number: number): number {
  return pauseMs * (0.5 + ((number * GOLDEN) % 1) / 2);
}
