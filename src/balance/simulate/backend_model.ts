/**
 * One simulated backend: a bounded number of sessions at once, the others in order; it may be slow
 * or dead.
 */
import { DECAY_MS, peakEwma } from '../peak_ewma.js';
import type { SimulatedBackend } from './scenario.js';

/** As the pool's: how fast failures are forgotten by sessions. */
const FAILURE_WEIGHT = 0.1;

export class BackendModel {
  readonly spec: SimulatedBackend;
  readonly #slots: number;
  #waiting: number[] = [];
  #firstWaiting = 0;
  #serving = 0;
  #latencyMs = 0;
  #latencyAtMs = 0;
  #failureRate = 0;
  #settledMs = 0;
  /** What health believes. */
  seen: 'up' | 'down' = 'up';
  isAlive = true;
  /** Service times are multiplied by this. */
  slowness = 1;
  /** Grows when the backend dies: what was going to end before then does not. */
  life = 0;

  constructor(spec: SimulatedBackend, slots: number) {
    this.spec = spec;
    this.#slots = slots === 0 ? Number.POSITIVE_INFINITY : slots;
  }

  /** Sessions here, waiting ones included. */
  get active(): number {
    return this.#serving + this.#waiting.length - this.#firstWaiting;
  }

  /** True: the session is served now. False: it waits. */
  admit(session: number): boolean {
    if (this.#serving < this.#slots) {
      this.#serving++;
      return true;
    }
    this.#waiting.push(session);
    return false;
  }

  /** A session is done; the one whose turn it is now, if any. */
  release(): number | null {
    this.#serving--;
    const next = this.#waiting[this.#firstWaiting];
    if (next === undefined) return null;
    this.#firstWaiting++;
    if (this.#firstWaiting > 1024 && this.#firstWaiting * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#firstWaiting);
      this.#firstWaiting = 0;
    }
    this.#serving++;
    return next;
  }

  /** Loses every session; how many there were. */
  die(): number {
    const lost = this.active;
    this.#waiting = [];
    this.#firstWaiting = 0;
    this.#serving = 0;
    this.isAlive = false;
    this.life++;
    return lost;
  }

  /** How long `workMs` of work take here now. */
  serviceMs(workMs: number): number {
    return (workMs * this.slowness) / this.spec.speed;
  }

  observeLatency(sampleMs: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#latencyAtMs;
    this.#latencyMs = peakEwma(this.#latencyMs, sampleMs, elapsedMs, DECAY_MS);
    this.#latencyAtMs = nowMs;
  }

  latencyMs(nowMs: number): number {
    if (this.#latencyMs === 0) return 0;
    return peakEwma(this.#latencyMs, 0, nowMs - this.#latencyAtMs, DECAY_MS);
  }

  observeOutcome(outcome: 'served' | 'failed', nowMs: number): void {
    const failed = outcome === 'failed' ? 1 : 0;
    const rate = this.failureRate(nowMs);
    this.#failureRate = rate + FAILURE_WEIGHT * (failed - rate);
    this.#settledMs = nowMs;
  }

  failureRate(nowMs: number): number {
    if (this.#failureRate === 0) return 0;
    return this.#failureRate * Math.exp(-(nowMs - this.#settledMs) / DECAY_MS);
  }
}
