/**
 * The latency of each member of a pool, as peak EWMA (balance/peak_ewma.ts), read as of now:
 * without sessions a value fades, so that a backend that policies avoid for its latency is tried
 * again.
 */
import { DECAY_MS, peakEwma } from '../balance/peak_ewma.js';

export class PeakEwma {
  /** By member: the value at its last sample; 0 = none yet. */
  readonly #peaksMs: Float64Array;
  readonly #sampledMs: Float64Array;

  constructor(members: number) {
    this.#peaksMs = new Float64Array(members);
    this.#sampledMs = new Float64Array(members);
  }

  /** Takes `sampleMs` of `member` into account. */
  observe(member: number, sampleMs: number, nowMs: number): void {
    const elapsedMs = nowMs - (this.#sampledMs[member] ?? 0);
    this.#peaksMs[member] = peakEwma(this.#peaksMs[member] ?? 0, sampleMs, elapsedMs, DECAY_MS);
    this.#sampledMs[member] = nowMs;
  }

  /** 0 = none yet. */
  valueAt(member: number, nowMs: number): number {
    const peakMs = this.#peaksMs[member] ?? 0;
    const elapsedMs = nowMs - (this.#sampledMs[member] ?? 0);
    return peakMs === 0 ? 0 : peakEwma(peakMs, 0, elapsedMs, DECAY_MS);
  }

  forget(member: number): void {
    this.#peaksMs[member] = 0;
  }

  /** Carries a member's knowledge over into a new membership. */
  adopt(member: number, from: PeakEwma, fromMember: number): void {
    this.#peaksMs[member] = from.#peaksMs[fromMember] ?? 0;
    this.#sampledMs[member] = from.#sampledMs[fromMember] ?? 0;
  }
}
