/**
 * The share of recent uses of each member of a pool that failed: a moving average over settled
 * sessions that also fades with time. By sessions alone, a backend that is avoided for its failures
 * would never be tried again.
 */
import { DECAY_MS } from '../balance/peak_ewma.js';

/** How fast a failure is forgotten by sessions: each settled one counts for this share. */
const WEIGHT = 0.1;

export class FailureRate {
  readonly #rates: Float64Array;
  readonly #settledMs: Float64Array;

  constructor(members: number) {
    this.#rates = new Float64Array(members);
    this.#settledMs = new Float64Array(members);
  }

  observe(member: number, failed: 0 | 1, nowMs: number): void {
    const rate = this.valueAt(member, nowMs);
    this.#rates[member] = rate + WEIGHT * (failed - rate);
    this.#settledMs[member] = nowMs;
  }

  forget(member: number): void {
    this.#rates[member] = 0;
  }

  /** Carries a member's knowledge over into a new membership. */
  adopt(member: number, from: FailureRate, fromMember: number): void {
    this.#rates[member] = from.#rates[fromMember] ?? 0;
    this.#settledMs[member] = from.#settledMs[fromMember] ?? 0;
  }

  /** 0 to 1. */
  valueAt(member: number, nowMs: number): number {
    const rate = this.#rates[member] ?? 0;
    if (rate === 0) return 0;
    const elapsedMs = Math.max(0, nowMs - (this.#settledMs[member] ?? 0));
    return rate * Math.exp(-elapsedMs / DECAY_MS);
  }
}
