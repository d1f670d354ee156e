/**
 * A clock that stands still while the process does: SIGSTOP, the freezer, a paused virtual machine
 * (in suspend CLOCK_MONOTONIC stands still by itself). All threads share it. The main thread reads
 * it once per second at least, or says how long it rests, and workers that are busy do, so a gap in
 * which no thread read it although one would have is one in which none ran; a single thread that
 * hangs makes none. ADR 9 says why it is done here and not at each limit.
 */
import type { Clock, Timer, Timers } from '../core/clock.js';

/** A gap that is longer does not count: twice what a thread at rest leaves between two readings. */
export const PAUSE_MS = 2_000;
/** A rest that is longer does not count: what is in memory is of another time. */
const MAX_REST_MS = 15_000;
/** How exactly the last reading is known; more often would share a cache line to no purpose. */
const NOTE_MS = 250;
/** Of a gap since LAST, what may have been lived: LAST is rounded down, and up to NOTE_MS old. */
const LIVED_MS = NOTE_MS + 1;

/** When some thread last read the clock, and how long it stood still, both modulo 2^32 ms. */
const LAST = 0;
const STILL = 1;
/** Until when the main thread rests, on the clock that goes on; likewise. */
const REST = 2;

export function createClockMemory(nowMs: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(16);
  const cells = new Int32Array(memory);
  cells[LAST] = cells[REST] = nowMs | 0;
  return memory;
}

/** No reading is less than an earlier one, of whichever thread. */
export function livingClock(clock: Clock, memory: SharedArrayBuffer): Clock {
  const cells = new Int32Array(memory);
  const pairs = new BigInt64Array(memory);
  return {
    nowMs: () => {
      for (;;) {
        const still = Atomics.load(cells, STILL);
        const nowMs = clock.nowMs();
        // Signed: another thread may have read the clock a moment later than this one.
        const gapMs = ((nowMs | 0) - Atomics.load(cells, LAST)) | 0;
        if (gapMs > NOTE_MS) note(pairs, nowMs | 0, Atomics.load(cells, REST));
        // A standstill that was noted after this reading of `clock` is not one before it.
        else if (Atomics.load(cells, STILL) === still) return nowMs - (still >>> 0);
      }
    },
    stillMs: () => Atomics.load(cells, STILL) >>> 0,
    rests: (forMs) => void Atomics.store(cells, REST, (clock.nowMs() + forMs) | 0),
    wallMs: () => clock.wallMs(),
  };
}

/**
 * Both cells change in one step, so that no thread sees the end of a gap without its length. What
 * is read after LAST is thus as new as LAST. What of a gap was a rest was lived.
 */
function note(pairs: BigInt64Array, nowMs: number, restMs: number): void {
  const seen = Atomics.load(pairs, 0);
  const [last, still] = split(seen);
  const gapMs = (nowMs - last) | 0;
  if (gapMs <= NOTE_MS) return;
  const restedMs = (restMs - last) | 0;
  const isRest = restedMs > 0 && restedMs <= MAX_REST_MS;
  const awakeMs = gapMs - (isRest ? restedMs : 0);
  const stoodMs = awakeMs > PAUSE_MS ? awakeMs - LIVED_MS : 0;
  // If another thread was quicker, it has noted the same.
  Atomics.compareExchange(pairs, 0, seen, join(nowMs, (still + stoodMs) | 0));
}

/** The lower word is LAST: every machine of Node.js is little-endian. */
function split(pair: bigint): readonly [number, number] {
  return [Number(BigInt.asIntN(32, pair)), Number(BigInt.asIntN(32, pair >> 32n))];
}

function join(last: number, still: number): bigint {
  return (BigInt(still) << 32n) | BigInt.asUintN(32, BigInt(last));
}

/** Timers that wait for time on `clock`: one that fires early, after a standstill, is set again. */
export function livingTimers(timers: Timers, clock: Clock): Timers {
  return {
    after: (delayMs, callback) => {
      const dueMs = clock.nowMs() + delayMs;
      const arm = (leftMs: number): Timer => timers.after(leftMs, fire);
      const fire = (): void => {
        const leftMs = dueMs - clock.nowMs();
        // Timers of Node.js may be a millisecond early.
        if (leftMs >= 1) timer = arm(leftMs);
        else callback();
      };
      let timer = arm(delayMs);
      return { cancel: () => timer.cancel() };
    },
  };
}
