/**
 * What is known about one target: its state, its last attempt, its counters. Pure but for
 * reporting.
 */
import { assert } from '../core/assert.js';
import type { TargetMemory } from './known.js';
import type { ProbeResult } from './probe.js';
import type {
  HealthEvents,
  HealthTarget,
  LastAttempt,
  TargetHealth,
  Verdict,
  VerdictReason,
} from './target.js';
import {
  advance,
  type Evidence,
  type TrackState,
  UNPROVEN,
  UP,
  type VerdictChange,
  verdictOf,
} from './tracker.js';

export class Watched {
  target: HealthTarget;
  #state: TrackState = UNPROVEN;
  #verdict: TargetHealth['verdict'] = 'unproven';
  /** Failures in a row that say more of a standby than that its role is another one. */
  #ill = 0;
  #sinceMs: number;
  #reason: VerdictReason | null = null;
  #detail = '';
  /** null: not reported yet. The listener may remember that of an earlier watch. */
  #share: number | null = null;
  #last: LastAttempt | null = null;
  #attempts = 0;
  #failures = 0;
  #transitions = 0;

  /** `atMs`: wall clock. */
  constructor(target: HealthTarget, atMs: number) {
    this.target = target;
    this.#sinceMs = atMs;
  }

  get state(): TrackState {
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
    if (verdict !== null) {
      const to = inAnotherRole(result) ? 'standby' : verdict.to;
      this.#pronounce(to, ...explain(verdict, health.probe.kind, result), atMs, events);
    } else if (verdictOf(state) === 'down' && !result.ok) this.#lookCloser(result, atMs, events);
  }

  /**
   * Down for the workers all the same, but not for people: a server that comes back in another role
   * is well again with its first answer, and a standby is down when it fails `fall` times.
   */
  #lookCloser(result: Failure, atMs: number, events: HealthEvents): void {
    const isWell = inAnotherRole(result);
    if (isWell || evidenceOf(result) === 'fail') this.#ill = isWell ? 0 : this.#ill + 1;
    if (this.#verdict === 'down' && isWell) {
      this.#pronounce('standby', result.failure, result.detail, atMs, events);
    } else if (this.#verdict === 'standby' && this.#ill >= this.target.health.fall) {
      const detail = failedInARow(this.#ill, this.target.health.probe.kind, result);
      this.#pronounce('down', result.failure, detail, atMs, events);
    }
  }

  /** Counts as up from now on, because nothing is probed. `atMs`: wall clock. */
  unprobed(atMs: number, events: HealthEvents): void {
    const standing = verdictOf(this.#state);
    this.#state = UP;
    this.#weigh(1, events);
    if (standing !== 'up') this.#pronounce('up', 'not-probed', '', atMs, events);
  }

  /** All that is known, for another one that goes on from there. */
  get memory(): TargetMemory {
    return {
      state: this.#state,
      verdict: this.#verdict,
      ill: this.#ill,
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

  /** Goes on from what another one knew; it was reported there. */
  resume(known: TargetMemory): void {
    this.#state = known.state;
    this.#verdict = known.verdict;
    this.#ill = known.ill;
    this.#sinceMs = known.sinceMs;
    this.#reason = known.reason;
    this.#detail = known.detail;
    this.#share = known.share;
    this.#last = known.last;
    this.#attempts = known.attempts;
    this.#failures = known.failures;
    this.#transitions = known.transitions;
  }

  view(): TargetHealth {
    return {
      key: this.target.key,
      verdict: this.#verdict,
      state: this.#state,
      sinceMs: this.#sinceMs,
      reason: this.#reason,
      detail: this.#detail,
      share: this.#share ?? 1,
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
    state: Verdict,
    reason: VerdictReason,
    detail: string,
    atMs: number,
    events: HealthEvents,
  ): void {
    this.#verdict = state;
    this.#ill = 0;
    this.#sinceMs = atMs;
    this.#reason = reason;
    this.#detail = detail;
    this.#transitions++;
    events.onVerdict({ key: this.target.key, state, reason, detail, atMs });
  }
}

/** Failures on our own side are not the backend's. */
function evidenceOf(result: ProbeResult): Evidence {
  if (result.ok) return 'pass';
  switch (result.failure) {
    case 'no-resources':
      return 'none';
    case 'internal-error':
    case 'no-local-address':
    case 'secret-unreadable':
      return 'inconclusive';
    default:
      return 'fail';
  }
}

type Failure = Extract<ProbeResult, { readonly ok: false }>;

function inAnotherRole(result: ProbeResult): boolean {
  return !result.ok && result.failure === 'wrong-role';
}

function explain(
  change: VerdictChange,
  kind: string,
  result: ProbeResult,
): [VerdictReason, string] {
  if (change.to === 'up') return [change.why, result.ok ? result.note : ''];
  assert(!result.ok, 'only a failure condemns a backend');
  const detail = inAnotherRole(result) ? result.detail : failedInARow(change.inARow, kind, result);
  return [result.failure, detail];
}

function failedInARow(inARow: number, kind: string, { detail }: Failure): string {
  const probes = inARow === 1 ? 'probe' : 'probes in a row';
  return `${inARow} ${kind} ${probes} failed, the last: ${detail}`;
}
