/**
 * What is known of an ejection as plain JSON, from one version of sluice to another. Times are the
 * caller's. Pure.
 */
import { isAmount } from '../core/unknown.js';
import type { EjectionMemory } from './ejection.js';
import type { EjectionCause } from './ejection_cause.js';

type Raw = Readonly<Record<string, unknown>>;

/** `shifted`: a time as the reader will have it. */
export function ejectionRecord(
  memory: EjectionMemory,
  shifted: (ownMs: number) => number,
): Readonly<Record<string, unknown>> {
  if (memory.kind === 'in') {
    const { kind, timesInARow, calmSinceMs } = memory;
    return { kind, timesInARow, calmSinceMs: shifted(calmSinceMs) };
  }
  return { ...memory, untilMs: shifted(memory.untilMs) };
}

/** null: it is none. */
export function readEjection(raw: Raw, shifted: (theirMs: number) => number) {
  const { kind, timesInARow, calmSinceMs, effect, untilMs } = raw;
  if (!isAmount(timesInARow)) return null;
  if (kind === 'in' && isAmount(calmSinceMs)) {
    return { kind, timesInARow, calmSinceMs: shifted(calmSinceMs), wasSpared: 'no' } as const;
  }
  const cause = causeFrom(raw['cause']);
  if (kind !== 'out' || !isAmount(untilMs) || cause === null) return null;
  if (effect !== 'real' && effect !== 'dry') return null;
  return { kind, timesInARow, cause, effect, untilMs: shifted(untilMs) } as const;
}

function causeFrom(raw: unknown): EjectionCause | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const { kind, inARow, medianMs, othersMs } = raw as Raw;
  if (kind === 'failures') return isAmount(inARow) ? { kind, inARow } : null;
  if (kind !== 'slow-connect' && kind !== 'slow-first-byte') return null;
  return isAmount(medianMs) && isAmount(othersMs) ? { kind, medianMs, othersMs } : null;
}
