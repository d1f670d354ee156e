/**
 * The latency of each member of a pool, as peak EWMA (balance/peak_ewma.ts), read as of now:
 * without sessions a value fades, so that a backend that policies avoid for its latency is tried
 * again.
 */
import { peakEwma } from '../balance/peak_ewma.js';

/** The time constant: after this many ms without news, 63 % of the past is forgotten. */
export const DECAY_MS = 10_000;

export class PeakEwma {
  /** By member: the value at its last sample; 0 = none yet. */
  readonly #peaksMs: Float64Array;
  readonly #sampledMs: Float64Array;
  /** Scratch: the values as of the last `valuesAt`. */
  readonly #valuesMs: Float64Array;

  constructor(members: number) {
    this.#peaksMs = new Float64Array(members);
    this.#sampledMs = new Float64Array(members);
    this.#valuesMs = new Float64Array(members);
  }

  /** Takes `sampleMs` of `member` into account. */
  observe(member: number, sampleMs: number, nowMs: number): void {
    const elapsedMs = nowMs - (this.#sampledMs[member] ?? 0);
    this.#peaksMs[member] = peakEwma(this.#peaksMs[member] ?? 0, sampleMs, elapsedMs, DECAY_MS);
    this.#sampledMs[member] = nowMs;
  }

  /** By member; valid until the next call. */
  valuesAt(nowMs: number): Float64Array {
    for (let member = 0; member < this.#peaksMs.length; member++) {
      const peakMs = this.#peaksMs[member] ?? 0;
      const elapsedMs = nowMs - (this.#sampledMs[member] ?? 0);
      this.#valuesMs[member] = peakMs === 0 ? 0 : peakEwma(peakMs, 0, elapsedMs, DECAY_MS);
    }
    return this.#valuesMs;
  }

  /** Carries a member's knowledge over into a new membership. */
  adopt(member: number, from: PeakEwma, fromMember: number): void {
    this.#peaksMs[member] = from.#peaksMs[fromMember] ?? 0;
    this.#sampledMs[member] = from.#sampledMs[fromMember] ?? 0;
  }
}
