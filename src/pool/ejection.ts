/**
 * Passive health: temporary removal of backends that fail in real traffic. The rules are those of
 * Envoy's outlier detection (api/envoy/config/cluster/v3/outlier_detection.proto): the time out
 * grows with each ejection in a row, and is forgiven step by step while all is well; only a share
 * of the pool may be ejected at once, and never the last backend that could serve.
 *
 * Pure: the owner looks every now and then with what it observed, and carries the decisions out.
 */
import type { BackendId } from '../core/brand.js';
import type { OutlierSpec } from '../core/spec.js';
import { type BackendObservation, type EjectionCause, ejectionCause } from './ejection_cause.js';

export type EjectionDecision =
  | {
      /** Take it out now. `would-eject` is the same in a dry run: say it, do nothing. */
      readonly kind: 'eject' | 'would-eject';
      readonly backend: BackendId;
      readonly cause: EjectionCause;
      readonly durationMs: number;
      /** 1 for the first; what the base time was multiplied by, before the maximum. */
      readonly timesInARow: number;
    }
  | {
      /** It deserves it, but stays in. Said once for each run of trouble. */
      readonly kind: 'spare';
      readonly backend: BackendId;
      readonly cause: EjectionCause;
      readonly because: SparedBecause;
    }
  | {
      /** Put it back, and forget its failures: those of sessions that still ran count no more. */
      readonly kind: 'return';
      readonly backend: BackendId;
      readonly because: 'time-over' | 'probe-succeeded';
    };

export type SparedBecause = 'last-one' | 'max-ejected-percent';

type State =
  /**
   * It serves; `timesInARow` falls by one at every interval without trouble since `calmSinceMs`.
   */
  | {
      readonly kind: 'in';
      readonly timesInARow: number;
      readonly calmSinceMs: number;
      readonly wasSpared: 'said' | 'no';
    }
  /**
   * It is out until `untilMs`, or until a probe that began after `sinceMs` proves the cause over.
   */
  | {
      readonly kind: 'out';
      readonly timesInARow: number;
      readonly cause: EjectionCause;
      readonly effect: 'real' | 'dry';
      readonly sinceMs: number;
      readonly untilMs: number;
    };

/** The ejections of one pool. Times are monotonic milliseconds. */
export class EjectionTracker {
  #spec: OutlierSpec;
  #states: ReadonlyMap<BackendId, State> = new Map();

  constructor(spec: OutlierSpec) {
    this.#spec = spec;
  }

  /** A changed configuration; ejections under way end when they were going to. */
  update(spec: OutlierSpec): void {
    this.#spec = spec;
  }

  /**
   * Judges all backends of the pool as observed since the last look; backends that are not among
   * them are forgotten. Backends in trouble are taken worst first, as the limit may spare the rest.
   */
  look(nowMs: number, observed: readonly BackendObservation[]): readonly EjectionDecision[] {
    const decisions: EjectionDecision[] = [];
    const states = new Map<BackendId, State>();
    for (const { backend } of observed) {
      const before = this.#states.get(backend);
      const state = this.#passTime(nowMs, before);
      if (before?.kind === 'out' && before.effect === 'real' && state.kind === 'in') {
        decisions.push({ kind: 'return', backend, because: 'time-over' });
      }
      states.set(backend, state);
    }
    for (const { observation, cause } of this.#inTrouble(observed, states)) {
      decisions.push(...this.#judge(nowMs, observation, cause, observed, states));
    }
    this.#states = states;
    return decisions;
  }

  /**
   * A probe that began at `startedMs` succeeded. It ends an ejection for failures (Envoy:
   * successful_active_health_check_uneject_host); of slowness a probe knows nothing.
   */
  probed(backend: BackendId, startedMs: number, nowMs: number): readonly EjectionDecision[] {
    const state = this.#states.get(backend);
    if (state?.kind !== 'out' || state.cause.kind !== 'failures') return [];
    if (startedMs < state.sinceMs) return [];
    this.#states = new Map(this.#states).set(backend, back(state.timesInARow, nowMs));
    // In a dry run nothing was taken out, so nothing comes back.
    if (state.effect === 'dry') return [];
    return [{ kind: 'return', backend, because: 'probe-succeeded' }];
  }

  /** Until when `backend` is ejected, in a dry run too; null: it is not. */
  ejectedUntilMs(backend: BackendId): number | null {
    const state = this.#states.get(backend);
    return state?.kind === 'out' ? state.untilMs : null;
  }

  #passTime(nowMs: number, state: State | undefined): State {
    if (state === undefined) return back(0, nowMs);
    if (state.kind === 'out') {
      return nowMs < state.untilMs ? state : back(state.timesInARow, nowMs);
    }
    const calm = Math.floor((nowMs - state.calmSinceMs) / this.#spec.intervalMs);
    if (calm < 1) return state;
    return {
      ...state,
      timesInARow: Math.max(0, state.timesInARow - calm),
      calmSinceMs: state.calmSinceMs + calm * this.#spec.intervalMs,
    };
  }

  #inTrouble(
    observed: readonly BackendObservation[],
    states: Map<BackendId, State>,
  ): { readonly observation: BackendObservation; readonly cause: EjectionCause }[] {
    const troubled = [];
    for (const observation of observed) {
      const state = states.get(observation.backend);
      if (state?.kind !== 'in' || !observation.isUsable) continue;
      const cause = ejectionCause(this.#spec, observation, observed);
      if (cause !== null) troubled.push({ observation, cause });
      else if (state.wasSpared === 'said' && this.#isProvenWell(observation)) {
        states.set(observation.backend, { ...state, wasSpared: 'no' });
      }
    }
    return troubled.sort((a, b) => badness(b.cause) - badness(a.cause));
  }

  #judge(
    nowMs: number,
    { backend }: BackendObservation,
    cause: EjectionCause,
    observed: readonly BackendObservation[],
    states: Map<BackendId, State>,
  ): readonly EjectionDecision[] {
    const state = states.get(backend) ?? back(0, nowMs);
    const because = this.#spared(backend, observed, states);
    if (because !== null) {
      const isNews = state.kind === 'in' && state.wasSpared === 'no';
      const { timesInARow } = state;
      states.set(backend, { kind: 'in', timesInARow, calmSinceMs: nowMs, wasSpared: 'said' });
      return isNews ? [{ kind: 'spare', backend, cause, because }] : [];
    }
    const timesInARow = state.timesInARow + 1;
    const durationMs = this.#durationMs(timesInARow);
    const untilMs = nowMs + durationMs;
    const effect = this.#spec.dryRun ? 'dry' : 'real';
    states.set(backend, { kind: 'out', timesInARow, cause, effect, sinceMs: nowMs, untilMs });
    const kind = effect === 'dry' ? 'would-eject' : 'eject';
    return [{ kind, backend, cause, durationMs, timesInARow }];
  }

  #spared(
    backend: BackendId,
    observed: readonly BackendObservation[],
    states: ReadonlyMap<BackendId, State>,
  ): SparedBecause | null {
    const isIn = (id: BackendId): boolean => states.get(id)?.kind === 'in';
    const left = observed.filter((o) => o.backend !== backend && o.isUsable && isIn(o.backend));
    if (left.length === 0) return 'last-one';
    const out = observed.filter((o) => !isIn(o.backend)).length;
    return out < this.#mostEjected(observed.length) ? null : 'max-ejected-percent';
  }

  /** Slowness is told only by the looks that end a window. */
  #isProvenWell({ failuresInARow, connect, firstByte }: BackendObservation): boolean {
    const isLatencyTold = connect !== null || firstByte !== null;
    return failuresInARow === 0 && (isLatencyTold || this.#spec.latencyFactor === 0);
  }

  /** As Envoy: one may always be ejected, however small the share, unless the share is 0. */
  #mostEjected(backends: number): number {
    const percent = this.#spec.maxEjectedPercent;
    return percent === 0 ? 0 : Math.max(1, Math.floor((backends * percent) / 100));
  }

  /** A maximum below the base time is the base time, as in Envoy. */
  #durationMs(timesInARow: number): number {
    const { baseEjectionMs, maxEjectionMs } = this.#spec;
    return Math.min(baseEjectionMs * timesInARow, Math.max(maxEjectionMs, baseEjectionMs));
  }
}

function back(timesInARow: number, nowMs: number): State {
  return { kind: 'in', timesInARow, calmSinceMs: nowMs, wasSpared: 'no' };
}

/** Failures before slowness, and of equal kind the worse first. */
function badness(cause: EjectionCause): number {
  if (cause.kind === 'failures') return 1e9 + cause.inARow;
  return cause.medianMs / Math.max(cause.othersMs, Number.EPSILON);
}
