/**
 * What is known about one target: its state, its last attempt, its counters. Pure but for
 * reporting.
 */
import { assert } from '../core/assert.js';
import type { ProbeResult } from './probe.js';
import type {
  HealthEvents,
  HealthTarget,
  LastAttempt,
  TargetHealth,
  VerdictReason,
} from './target.js';
import {
  advance,
  type Evidence,
  type HealthState,
  UNPROVEN,
  UP,
  type Verdict,
  verdictOf,
} from './tracker.js';

export class Watched {
  target: HealthTarget;
  #state: HealthState = UNPROVEN;
  #sinceMs: number;
  #reason: VerdictReason | null = null;
  #detail = '';
  #share = 1;
  #last: LastAttempt | null = null;
  #attempts = 0;
  #failures = 0;
  #transitions = 0;

  /** `atMs`: wall clock. */
  constructor(target: HealthTarget, atMs: number) {
    this.target = target;
    this.#sinceMs = atMs;
  }

  get state(): HealthState {
    return this.#state;
  }

  /** Takes the result of one attempt and reports what follows from it. */
  take(last: LastAttempt, events: HealthEvents): void {
    const { result, durationMs, atMs } = last;
    const { key, health } = this.target;
    this.#last = last;
    this.#attempts++;
    if (!result.ok) this.#failures++;
    events.onAttempt({ key, result, durationMs });
    if (result.ok) this.#weigh(result.share, events);
    const { state, verdict } = advance(this.#state, evidenceOf(result), health);
    this.#state = state;
    if (verdict !== null) this.#pronounce(verdict.to, ...explain(verdict, result), atMs, events);
  }

  /** Counts as up from now on, because nothing is probed. `atMs`: wall clock. */
  unprobed(atMs: number, events: HealthEvents): void {
    const standing = verdictOf(this.#state);
    this.#state = UP;
    this.#weigh(1, events);
    if (standing !== 'up') this.#pronounce('up', 'not-probed', '', atMs, events);
  }

  view(): TargetHealth {
    return {
      key: this.target.key,
      verdict: verdictOf(this.#state),
      state: this.#state,
      sinceMs: this.#sinceMs,
      reason: this.#reason,
      detail: this.#detail,
      share: this.#share,
      last: this.#last,
      attempts: this.#attempts,
      failures: this.#failures,
      transitions: this.#transitions,
    };
  }

  #weigh(share: number, events: HealthEvents): void {
    if (share === this.#share) return;
    this.#share = share;
    events.onShare({ key: this.target.key, share });
  }

  #pronounce(
    state: 'up' | 'down',
    reason: VerdictReason,
    detail: string,
    atMs: number,
    events: HealthEvents,
  ): void {
    this.#sinceMs = atMs;
    this.#reason = reason;
    this.#detail = detail;
    this.#transitions++;
    events.onVerdict({ key: this.target.key, state, reason, detail, atMs });
  }
}

/** Failures on our own side say nothing about the backend. */
function evidenceOf(result: ProbeResult): Evidence {
  if (result.ok) return 'pass';
  const ours = result.failure === 'no-resources' || result.failure === 'secret-unreadable';
  return ours ? 'inconclusive' : 'fail';
}

function explain(verdict: Verdict, result: ProbeResult): [VerdictReason, string] {
  if (verdict.to === 'up') return [verdict.why, result.ok ? result.note : ''];
  assert(!result.ok, 'only a failure condemns a backend');
  return [result.failure, `${verdict.inARow} in a row failed, the last: ${result.detail}`];
}
