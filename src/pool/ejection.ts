/**
 * Passive health: temporary removal of backends that fail in real traffic. The rules are those of
 * Envoy's outlier detection (api/envoy/config/cluster/v3/outlier_detection.proto): the time out
 * grows with each ejection in a row, and is forgiven step by step while all is well; only a share
 * of the pool may be ejected at once, and never the last backend that could serve.
 *
 * Workers eject for failures by themselves (`failures.ts`). The tracker learns of it at its next
 * look, says for how long, and when the backend returns; and it ejects for slowness, under the same
 * limits.
 *
 * Pure but for the `EjectionRoom`: the owner looks every now and then with what it observed.
 */
import { unreachable } from '../core/assert.js';
import type { BackendId } from '../core/brand.js';
import type { OutlierSpec } from '../core/spec.js';
import type { EjectionAnswer } from './ejecting.js';
import { type BackendObservation, type EjectionCause, ejectionCause } from './ejection_cause.js';
import type { SparedBecause } from './ejection_ledger.js';

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
      /** It is back, and its failures are forgotten. */
      readonly kind: 'return';
      readonly backend: BackendId;
      readonly because: 'time-over' | 'recovered';
    };

/** Where ejections are made and ended: shared memory, as the workers eject too. */
export interface EjectionRoom {
  take(backend: BackendId, inARow: number, nowMs: number): EjectionAnswer;
  /** Puts it back with clean evidence. */
  giveBack(backend: BackendId): void;
}

/** What is known of a backend beside what is in the ledger. */
export type EjectionMemory =
  /**
   * It serves; `timesInARow` falls by one at every interval without trouble since `calmSinceMs`.
   */
  | {
      readonly kind: 'in';
      readonly timesInARow: number;
      readonly calmSinceMs: number;
      readonly wasSpared: 'said' | 'no';
    }
  /** It is out until `untilMs`, or until it has recovered. */
  | {
      readonly kind: 'out';
      readonly timesInARow: number;
      readonly cause: EjectionCause;
      readonly effect: 'real' | 'dry';
      readonly untilMs: number;
    };

/** The ejections of one pool. Times are monotonic milliseconds. */
export class EjectionTracker {
  #spec: OutlierSpec;
  readonly #room: EjectionRoom;
  #states: Map<BackendId, EjectionMemory> = new Map();

  constructor(spec: OutlierSpec, room: EjectionRoom) {
    this.#spec = spec;
    this.#room = room;
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
    const states = new Map<BackendId, EjectionMemory>();
    // What was observed of a backend that returns is from before: it counts once.
    const judged = observed.filter((observation) => {
      const { backend, taken } = observation;
      const before = this.#states.get(backend);
      const isOut = before?.kind === 'out';
      const state = this.#passTime(isOut ? nowMs : (taken?.sinceMs ?? nowMs), before);
      if (isOut && state.kind === 'in') {
        this.#room.giveBack(backend);
        states.set(backend, state);
        if (before.effect === 'real') {
          decisions.push({ kind: 'return', backend, because: 'time-over' });
        }
        return false;
      }
      if (state.kind === 'out' || taken === null) {
        states.set(backend, state);
        return state.kind === 'in';
      }
      const cause: EjectionCause = { kind: 'failures', inARow: taken.inARow };
      decisions.push(this.#out(state, backend, cause, taken.sinceMs, taken.effect, states));
      return false;
    });
    for (const { observation, cause } of this.#inTrouble(judged, observed, states)) {
      decisions.push(...this.#judge(nowMs, observation, cause, states));
    }
    this.#states = states;
    return decisions;
  }

  /**
   * Its probes had found it down, and find it up again: an ejection for failures ends, because the
   * server that failed is gone. A good probe alone ends none (Envoy does it so,
   * successful_active_health_check_uneject_host): a server that accepts connections and resets them
   * would be back within the second, and eject itself anew for ever. Of slowness a probe knows
   * nothing.
   */
  recovered(backend: BackendId, nowMs: number): readonly EjectionDecision[] {
    const state = this.#states.get(backend);
    if (state?.kind !== 'out' || state.cause.kind !== 'failures') return [];
    this.#states = new Map(this.#states).set(backend, back(state.timesInARow, nowMs));
    this.#room.giveBack(backend);
    // In a dry run nothing was taken out, so nothing comes back.
    if (state.effect === 'dry') return [];
    return [{ kind: 'return', backend, because: 'recovered' }];
  }

  /** For a tracker of another process; null: nothing is to be said. */
  memoryOf(backend: BackendId): EjectionMemory | null {
    const state = this.#states.get(backend);
    return state?.kind === 'in' && state.timesInARow === 0 ? null : (state ?? null);
  }

  /**
   * Goes on from what another process knew; the backend stays in where none may be taken out any
   * more.
   */
  resume(backend: BackendId, known: EjectionMemory, nowMs: number): EjectionMemory['kind'] {
    const states = this.#states;
    if (known.kind === 'out') {
      const inARow = known.cause.kind === 'failures' ? known.cause.inARow : 0;
      if (this.#room.take(backend, inARow, nowMs) === 'ejected') {
        states.set(backend, { ...known, effect: this.#effect });
        return 'out';
      }
    }
    states.set(backend, known.kind === 'in' ? known : back(known.timesInARow, nowMs));
    return 'in';
  }

  #passTime(nowMs: number, state: EjectionMemory | undefined): EjectionMemory {
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
    judged: readonly BackendObservation[],
    observed: readonly BackendObservation[],
    states: Map<BackendId, EjectionMemory>,
  ): { readonly observation: BackendObservation; readonly cause: EjectionCause }[] {
    const troubled = [];
    for (const observation of judged) {
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
    { backend, failuresInARow, spared }: BackendObservation,
    cause: EjectionCause,
    states: Map<BackendId, EjectionMemory>,
  ): readonly EjectionDecision[] {
    const state = states.get(backend);
    if (state?.kind !== 'in') return [];
    const inARow = cause.kind === 'failures' ? failuresInARow : 0;
    // A worker was refused a moment ago: whether there is room now is asked at the next look.
    const answer = spared ?? this.#room.take(backend, inARow, nowMs);
    switch (answer) {
      case 'ejected':
        return [this.#out(state, backend, cause, nowMs, this.#effect, states)];
      case 'already':
        // A worker ejects it in this instant: the next look learns of it.
        return [];
      case 'last-one':
      case 'max-ejected-percent':
        states.set(backend, { ...state, calmSinceMs: nowMs, wasSpared: 'said' });
        if (state.wasSpared === 'said') return [];
        return [{ kind: 'spare', backend, cause, because: answer }];
      default:
        return unreachable(answer);
    }
  }

  get #effect(): 'real' | 'dry' {
    return this.#spec.dryRun ? 'dry' : 'real';
  }

  #out(
    state: Extract<EjectionMemory, { kind: 'in' }>,
    backend: BackendId,
    cause: EjectionCause,
    sinceMs: number,
    effect: 'real' | 'dry',
    states: Map<BackendId, EjectionMemory>,
  ): EjectionDecision {
    const timesInARow = state.timesInARow + 1;
    const durationMs = this.#durationMs(timesInARow);
    const untilMs = sinceMs + durationMs;
    states.set(backend, { kind: 'out', timesInARow, cause, effect, untilMs });
    const kind = effect === 'dry' ? 'would-eject' : 'eject';
    return { kind, backend, cause, durationMs, timesInARow };
  }

  /** Slowness is judged only by the looks that end a window. */
  #isProvenWell({ failuresInARow, connect, firstByte }: BackendObservation): boolean {
    const isLatencyTold = connect !== null || firstByte !== null;
    return failuresInARow === 0 && (isLatencyTold || this.#spec.latencyFactor === 0);
  }

  /** A maximum below the base time is the base time, as in Envoy. */
  #durationMs(timesInARow: number): number {
    const { baseEjectionMs, maxEjectionMs } = this.#spec;
    return Math.min(baseEjectionMs * timesInARow, Math.max(maxEjectionMs, baseEjectionMs));
  }
}

function back(timesInARow: number, nowMs: number): EjectionMemory {
  return { kind: 'in', timesInARow, calmSinceMs: nowMs, wasSpared: 'no' };
}

/** Failures before slowness, and of equal kind the worse first. */
function badness(cause: EjectionCause): number {
  if (cause.kind === 'failures') return 1e9 + cause.inARow;
  return cause.medianMs / Math.max(cause.othersMs, Number.EPSILON);
}
