/**
 * What is known about a target as plain JSON, from one version of sluice to another. What makes no
 * sense is not read: then the target begins anew, as one that was never seen. Pure.
 */
import { isAmount, isCount } from '../core/unknown.js';
import type { KnownHealth, TargetMemory } from './known.js';
import { PROBE_FAILURES, type ProbeFailure, type ProbeResult } from './probe.js';
import type { LastAttempt, TargetHealth, VerdictReason } from './target.js';
import { type TrackState, verdictOf } from './tracker.js';

type Raw = Readonly<Record<string, unknown>>;

const REASONS = ['first-success', 'recovered', 'not-probed', ...PROBE_FAILURES] as const;

export function knownRecord({ memory, probe, startedMs, dueMs }: KnownHealth): object {
  const { state, ...rest } = memory;
  return { ...rest, state: state.kind, inARow: inARowOf(state), probe, startedMs, dueMs };
}

/** null: it is none. */
export function readKnown(raw: Raw): KnownHealth | null {
  const { probe, startedMs, dueMs } = raw;
  const memory = memoryFrom(raw);
  if (memory === null || typeof probe !== 'string') return null;
  if (!isTimeOrNull(startedMs) || !isTimeOrNull(dueMs)) return null;
  return { memory, probe, startedMs, dueMs };
}

function memoryFrom(raw: Raw): TargetMemory | null {
  const state = stateFrom(raw['state'], raw['inARow']);
  const verdict = verdictFrom(raw['verdict'], state);
  const last = lastFrom(raw['last']);
  const reason = REASONS.find((one) => one === raw['reason']) ?? null;
  const { ill, sinceMs, detail, share, attempts, failures, transitions } = raw;
  if (state === null || verdict === null || last === undefined) return null;
  if (!isShareOrNull(share) || typeof detail !== 'string' || !isAmount(sinceMs)) return null;
  if (!isCount(ill) || !isCount(attempts) || !isCount(failures) || !isCount(transitions)) {
    return null;
  }
  return {
    state,
    verdict,
    ill,
    sinceMs,
    reason: verdict === 'unproven' ? null : (reason ?? unknownReason(verdict)),
    detail,
    share,
    last,
    attempts,
    failures,
    transitions,
  };
}

/** Another version may have failures that this one does not know. */
function unknownReason(verdict: TargetHealth['verdict']): VerdictReason {
  return verdict === 'up' ? 'first-success' : 'wrong-answer';
}

function inARowOf(state: TrackState): number {
  if (state.kind === 'rising') return state.successes;
  return state.kind === 'up' || state.kind === 'down' ? 0 : state.failures;
}

function stateFrom(kind: unknown, inARow: unknown): TrackState | null {
  if (!isCount(inARow)) return null;
  switch (kind) {
    case 'up':
    case 'down':
      return { kind };
    case 'unproven':
      return { kind, failures: inARow };
    case 'falling':
      return { kind, failures: Math.max(1, inARow) };
    case 'rising':
      return { kind, successes: Math.max(1, inARow) };
    default:
      return null;
  }
}

/** It must be one that is possible in `state`. */
function verdictFrom(raw: unknown, state: TrackState | null): TargetHealth['verdict'] | null {
  if (state === null) return null;
  const verdict = verdictOf(state);
  if (raw === verdict) return verdict;
  return raw === 'standby' && verdict === 'down' ? 'standby' : null;
}

/** undefined: it is none. */
function lastFrom(raw: unknown): LastAttempt | null | undefined {
  if (raw === null) return null;
  if (typeof raw !== 'object') return undefined;
  const { result, durationMs, atMs } = raw as Raw;
  const read = resultFrom(result);
  if (read === null || !isAmount(durationMs) || !isAmount(atMs)) return undefined;
  return { result: read, durationMs, atMs };
}

function resultFrom(raw: unknown): ProbeResult | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const { ok, share, note, failure, detail } = raw as Raw;
  if (ok === true) {
    if (!isShareOrNull(share) || share === null || typeof note !== 'string') return null;
    return { ok, share, note };
  }
  if (ok !== false || typeof detail !== 'string') return null;
  return { ok, failure: failureFrom(failure), detail };
}

function failureFrom(raw: unknown): ProbeFailure {
  return PROBE_FAILURES.find((one) => one === raw) ?? 'wrong-answer';
}

function isShareOrNull(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && value > 0 && value <= 1);
}

function isTimeOrNull(value: unknown): value is number | null {
  return value === null || isAmount(value);
}
