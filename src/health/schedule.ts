/**
 * When the next attempt starts. Pure. Intervals count from start to start, so that a slow answer
 * does not stretch the time until a verdict; an attempt never starts before the last one has ended.
 */
import { unreachable } from '../core/assert.js';
import { jittered, type Random } from '../core/random.js';
import type { TrackState } from './tracker.js';

export interface Intervals {
  /** While the verdict is up and the last result agreed. */
  readonly intervalMs: number;
  /** While unproven, and between the first differing result and the verdict. */
  readonly fastIntervalMs: number;
  /** While the verdict is down and the last result agreed. */
  readonly downIntervalMs: number;
  /** 0 to 1: the share of itself by which each interval varies, either way. */
  readonly jitter: number;
}

/** First attempts start within this time: sessions wait for them, yet not all in one instant. */
export const FIRST_SPREAD_MS = 50;

/** Milliseconds until the first attempt on a target that was just added. */
export function firstDelayMs(random: Random): number {
  return random.next() * FIRST_SPREAD_MS;
}

/** The interval that belongs to `state`, before jitter. */
export function intervalMs(state: TrackState, intervals: Intervals): number {
  switch (state.kind) {
    case 'unproven':
    case 'falling':
    case 'rising':
      return intervals.fastIntervalMs;
    case 'up':
      return intervals.intervalMs;
    case 'down':
      return intervals.downIntervalMs;
    default:
      return unreachable(state);
  }
}

/**
 * Milliseconds from now until the next attempt. The last one started `elapsedMs` ago, in the state
 * `before`, and led to `after`. The first interval with a verdict is a random part of a whole one:
 * first attempts start together, and from there on each target has a phase of its own.
 */
export function nextDelayMs(
  before: TrackState,
  after: TrackState,
  intervals: Intervals,
  elapsedMs: number,
  random: Random,
): number {
  const wholeMs = intervalMs(after, intervals);
  const proven = before.kind === 'unproven' && after.kind !== 'unproven';
  const spacedMs = proven ? wholeMs * random.next() : jittered(random, wholeMs, intervals.jitter);
  return Math.max(0, spacedMs - elapsedMs);
}
