/**
 * The latency of each member of a pool, as peak EWMA (balance/peak_ewma.ts), read as of now:
 * without sessions a value fades, so that a backend that policies avoid for its latency is tried
 * again.
 */
import { DECAY_MS, peakEwma } from '../balance/peak_ewma.js';

/** Per member: the value at its last sample (0 = none yet), and when that was. */
const WORDS = 2;

export class PeakEwma {
  /** Both words of a member are read together: among thousands of members neither is in a cache. */
  readonly #words: Float64Array;

  constructor(members: number) {
    this.#words = new Float64Array(members * WORDS);
  }

  /** Takes `sampleMs` of `member` into account. */
  observe(member: number, sampleMs: number, nowMs: number): void {
    const at = member * WORDS;
    const elapsedMs = nowMs - (this.#words[at + 1] ?? 0);
    this.#words[at] = peakEwma(this.#words[at] ?? 0, sampleMs, elapsedMs, DECAY_MS);
    this.#words[at + 1] = nowMs;
  }

  /** 0 = none yet. */
  valueAt(member: number, nowMs: number): number {
    const at = member * WORDS;
    const peakMs = this.#words[at] ?? 0;
    const elapsedMs = nowMs - (this.#words[at + 1] ?? 0);
    return peakMs === 0 ? 0 : peakEwma(peakMs, 0, elapsedMs, DECAY_MS);
  }

  forget(member: number): void {
    this.#words[member * WORDS] = 0;
  }

  /** Carries a member's knowledge over into a new membership. */
  adopt(member: number, from: PeakEwma, fromMember: number): void {
    for (let word = 0; word < WORDS; word++) {
      this.#words[member * WORDS + word] = from.#words[fromMember * WORDS + word] ?? 0;
    }
  }
}
