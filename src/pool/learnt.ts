/** What one worker has learnt from its own sessions about each backend of a pool. */
import { FailureRate } from './failure_rate.js';
import { PeakEwma } from './peak_ewma.js';

export class Learnt {
  readonly #latency: PeakEwma;
  readonly #failureRate: FailureRate;

  constructor(members: number) {
    this.#latency = new PeakEwma(members);
    this.#failureRate = new FailureRate(members);
  }

  latencyMs(member: number, nowMs: number): number {
    return this.#latency.valueAt(member, nowMs);
  }

  failureRate(member: number, nowMs: number): number {
    return this.#failureRate.valueAt(member, nowMs);
  }

  /** A connect or a first byte took `sampleMs`. */
  took(member: number, sampleMs: number, nowMs: number): void {
    this.#latency.observe(member, sampleMs, nowMs);
  }

  /** A session is settled. */
  ended(member: number, failed: 0 | 1, nowMs: number): void {
    this.#failureRate.observe(member, failed, nowMs);
  }

  /** As if it were new. */
  forget(member: number): void {
    this.#latency.forget(member);
    this.#failureRate.forget(member);
  }

  /** Carries a member's knowledge over into a new membership. */
  adopt(member: number, from: Learnt, fromMember: number): void {
    this.#latency.adopt(member, from.#latency, fromMember);
    this.#failureRate.adopt(member, from.#failureRate, fromMember);
  }
}
