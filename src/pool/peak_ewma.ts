/**
 * Peak-sensitive moving average of a backend's latency: a rise counts at once, a fall only with time.
 * After Finagle's and linkerd's PeakEwma ("Beyond Round Robin: Load Balancing for Latency").
 */

/** The time constant: after this many ms without news, 63 % of the past is forgotten. */
export const DECAY_MS = 10_000;

export class PeakEwma {
  readonly values: Float64Array;
  readonly #updatedMs: Float64Array;

  constructor(members: number) {
    this.values = new Float64Array(members);
    this.#updatedMs = new Float64Array(members);
  }

  /** Takes `sampleMs` of `member` into account. */
  observe(member: number, sampleMs: number, nowMs: number): void {
    const before = this.values[member] ?? 0;
    const elapsed = Math.max(0, nowMs - (this.#updatedMs[member] ?? 0));
    const kept = Math.exp(-elapsed / DECAY_MS);
    this.values[member] = sampleMs > before ? sampleMs : before * kept + sampleMs * (1 - kept);
    this.#updatedMs[member] = nowMs;
  }

  /** Carries a member's knowledge over into a new membership. */
  adopt(member: number, from: PeakEwma, fromMember: number): void {
    this.values[member] = from.values[fromMember] ?? 0;
    this.#updatedMs[member] = from.#updatedMs[fromMember] ?? 0;
  }
}
