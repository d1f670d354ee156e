/**
 * Time as an argument. Only src/system reads a real clock; tests and the simulation pass a fake one
 * that they advance themselves.
 */
export interface Clock {
  /** Monotonic milliseconds with a fraction; comparable between threads of one process. */
  nowMs(): number;
  /** How long time has stood still so far, because the process did; absent: it never does. */
  stillMs?(): number;
  /**
   * This thread does not read the clock for this long: if no thread does, that is no standstill.
   */
  rests?(forMs: number): void;
  /** Wall-clock milliseconds since 1970-01-01 UTC, for logs and for people only. */
  wallMs(): number;
}

export interface Timer {
  cancel(): void;
}

/** Timers as an argument; the callback runs once, on the thread's event loop. */
export interface Timers {
  /**
   * Runs `callback` after `delayMs` (0 or more) milliseconds. A pending timer keeps no process
   * alive.
   */
  after(delayMs: number, callback: () => void): Timer;
}

const TOGETHER_MS = 10_000;
/** A timer of Node.js may come one or two milliseconds before its time: that multiple is over. */
const EARLY_MS = 5;

/**
 * How long until the clock shows the next multiple of ten seconds: what is done about that often is
 * done together then, because waking up costs more than most of it.
 */
export function untilTogether(nowMs: number): number {
  return TOGETHER_MS + EARLY_MS - ((nowMs + EARLY_MS) % TOGETHER_MS);
}
