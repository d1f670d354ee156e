/** Why a backend deserves to be ejected: failures in a row, or a latency far from the others'. */
import type { BackendId } from '../core/brand.js';
import type { OutlierSpec } from '../core/spec.js';
import type { SparedBecause, TakenOut } from './ejection_ledger.js';
import { type LatencySample, median } from './latency_window.js';

/** What traffic showed about one backend since the last look. */
export interface BackendObservation {
  readonly backend: BackendId;
  /** It could serve: up, not drained, weight above 0. Being ejected does not count against it. */
  readonly isUsable: boolean;
  /**
   * Failed dials, or sessions reset before the backend's first byte, that count now: at or above
   * OutlierSpec.consecutiveFailures only when as many are within OutlierSpec.intervalMs.
   */
  readonly failuresInARow: number;
  /** It is out, by a worker or by the tracker. */
  readonly taken: TakenOut | null;
  /** A worker would have ejected it since the last look. */
  readonly spared: SparedBecause | null;
  /** Over the last whole window (OutlierSpec.intervalMs), at the looks that end one; else null. */
  readonly connect: LatencySample | null;
  readonly firstByte: LatencySample | null;
}

export type EjectionCause =
  | { readonly kind: 'failures'; readonly inARow: number }
  | {
      readonly kind: 'slow-connect' | 'slow-first-byte';
      readonly medianMs: number;
      /** The median of the other backends' medians. */
      readonly othersMs: number;
    };

/** With fewer samples than this a median says little. */
export const MIN_SAMPLES = 20;
/**
 * A gray failure is at least this much slower than the others: on a quick network 0.6 ms against
 * 0.2 ms is no failure, and the histograms are coarse down there.
 */
export const MIN_EXCESS_MS = 10;

/** Why `observed` should be ejected, or null. `all` holds it and the other backends of its pool. */
export function ejectionCause(
  spec: OutlierSpec,
  observed: BackendObservation,
  all: readonly BackendObservation[],
): EjectionCause | null {
  const { failuresInARow, spared } = observed;
  if (spared !== null || failuresInARow >= spec.consecutiveFailures) {
    return { kind: 'failures', inARow: Math.max(failuresInARow, spec.consecutiveFailures) };
  }
  if (spec.latencyFactor === 0) return null;
  const others = all.filter((other) => other !== observed && other.isUsable);
  return (
    slowness(
      spec,
      'slow-connect',
      observed.connect,
      others.map((other) => other.connect),
    ) ??
    slowness(
      spec,
      'slow-first-byte',
      observed.firstByte,
      others.map((other) => other.firstByte),
    )
  );
}

/** One sentence part: `5 failures in a row`. */
export function describeCause(cause: EjectionCause): string {
  if (cause.kind === 'failures') return `${cause.inARow} failures in a row`;
  const what = cause.kind === 'slow-connect' ? 'connects' : 'first bytes';
  return `${what} take ${cause.medianMs.toFixed(1)} ms, those of the others ${cause.othersMs.toFixed(1)} ms`;
}

/** Against the others only: in a pool of two the slow one would otherwise lift its own bar. */
function slowness(
  spec: OutlierSpec,
  kind: 'slow-connect' | 'slow-first-byte',
  own: LatencySample | null,
  others: readonly (LatencySample | null)[],
): EjectionCause | null {
  if (own === null || own.count < MIN_SAMPLES) return null;
  const othersMs = median(
    others.flatMap((other) => (other && other.count >= MIN_SAMPLES ? [other.medianMs] : [])),
  );
  if (othersMs === null) return null;
  const isSlow =
    own.medianMs > othersMs * spec.latencyFactor && own.medianMs >= othersMs + MIN_EXCESS_MS;
  return isSlow ? { kind, medianMs: own.medianMs, othersMs } : null;
}
