/**
 * The generic cell rate algorithm (ITU-T I.371, annex A, virtual scheduling): all that is known of
 * how fast a client comes is one time, at which the next session would come if the client kept to
 * the rate. It is a word in shared memory and moves by compare-and-swap: the rate is exact over
 * threads. A time that has passed has no meaning any more, and may be forgotten.
 */

/** How many may come, in nanoseconds. */
export interface Rate {
  /** Between two that keep to the rate. */
  readonly intervalNs: bigint;
  /** How much too early one may come: those of a burst, but for the first. */
  readonly toleranceNs: bigint;
}

const NS_PER_MS = 1_000_000;

/** `count` in `perMs`, and `burst` (1 or more) of them at once. Never one more: rounded up. */
export function rateOf(count: number, perMs: number, burst: number): Rate {
  const intervalNs = BigInt(Math.ceil((perMs * NS_PER_MS) / count));
  return { intervalNs, toleranceNs: intervalNs * BigInt(burst - 1) };
}

/** Up to here a turn that is a millisecond or two late loses little. */
const SLOW = 25;
const BURSTS_PER_SECOND = 50;

/**
 * At most `count` in any second, whenever it begins, and near to that all the time: a fiftieth of
 * them may come at once, so that late turns are made good, and the rest comes slower by as much.
 */
export function rateASecond(count: number): Rate {
  const burst = count <= SLOW ? 1 : Math.max(2, Math.ceil(count / BURSTS_PER_SECOND));
  return rateOf(count - burst + 1, 1_000, burst);
}

/** Monotonic milliseconds with a fraction, as on a `Clock`. */
export function nsOf(nowMs: number): bigint {
  return BigInt(Math.floor(nowMs * NS_PER_MS));
}

/** How long until one may come, in nanoseconds; 0 or less: now. */
export function waitNs(times: BigInt64Array, at: number, rate: Rate, nowNs: bigint): bigint {
  return Atomics.load(times, at) - rate.toleranceNs - nowNs;
}

/**
 * One that came at `cameNs` need not have come. It gets back of its interval what has not passed
 * since: the next one's time is at least that much later because of it, whatever came meanwhile.
 * All of it would be too much where the time has been at rest since then.
 */
export function giveBack(
  times: BigInt64Array,
  at: number,
  { intervalNs }: Rate,
  cameNs: bigint,
  nowNs: bigint,
): void {
  const leftNs = intervalNs - (nowNs - cameNs);
  if (leftNs > 0n) Atomics.sub(times, at, leftNs);
}

/** Counts one that comes now, or answers false: that is too early. */
export function tryCome(times: BigInt64Array, at: number, rate: Rate, nowNs: bigint): boolean {
  let time = Atomics.load(times, at);
  for (;;) {
    if (time - rate.toleranceNs > nowNs) return false;
    const next = (time > nowNs ? time : nowNs) + rate.intervalNs;
    const seen = Atomics.compareExchange(times, at, time, next);
    if (seen === time) return true;
    time = seen;
  }
}
