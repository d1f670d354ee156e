/**
 * Rise and fall: when a row of probe results becomes a verdict. Pure; the state is a value, and
 * every arm says what is true in it.
 *
 * The ends of the life are asymmetric on purpose. One success proves an unproven backend, because
 * sessions wait for it and a row of `rise` would make each start slower; `fall` failures are needed
 * to condemn one, because a backend that is still starting refuses for a moment.
 */
import { unreachable } from '../core/assert.js';

export type TrackState =
  /** No verdict yet, and the last `failures` results (0 or more) said no. */
  | { readonly kind: 'unproven'; readonly failures: number }
  /** The verdict is up, and the last result agreed. */
  | { readonly kind: 'up' }
  /** The verdict is up, but the last `failures` results (1 or more, in a row) said no. */
  | { readonly kind: 'falling'; readonly failures: number }
  /** The verdict is down, and the last result agreed. */
  | { readonly kind: 'down' }
  /** The verdict is down, but the last `successes` results (1 or more, in a row) said yes. */
  | { readonly kind: 'rising'; readonly successes: number };

/**
 * What one attempt says about the backend. `inconclusive`: the attempt failed for a reason on our
 * own side that may be of the backend's settings, and lasts (a password file that cannot be read,
 * no address to connect from). It condemns no backend that was proven; for an unproven one it
 * counts as a "no", so that the reason is reported. `none`: we had no descriptor or no memory for
 * the attempt, which says nothing about any backend, proven or not.
 */
export type Evidence = 'pass' | 'fail' | 'inconclusive' | 'none';

export interface Thresholds {
  /** Failures in a row, 1 or more, until the verdict is down. */
  readonly fall: number;
  /** Successes in a row, 1 or more, until a backend that is down is up again. */
  readonly rise: number;
}

export type VerdictChange =
  | { readonly to: 'up'; readonly why: 'first-success' }
  | { readonly to: 'up'; readonly why: 'recovered'; readonly inARow: number }
  | { readonly to: 'down'; readonly why: 'never-answered'; readonly inARow: number }
  | { readonly to: 'down'; readonly why: 'failed'; readonly inARow: number };

export interface TrackStep {
  readonly state: TrackState;
  /** null: no change that matters outside. */
  readonly verdict: VerdictChange | null;
}

export const UNPROVEN: TrackState = { kind: 'unproven', failures: 0 };
export const UP: TrackState = { kind: 'up' };
export const DOWN: TrackState = { kind: 'down' };

/** There is a verdict, and the last result agreed with it. */
export function isSettled({ kind }: TrackState): boolean {
  return kind === 'up' || kind === 'down';
}

/** The verdict that stands in `state`. */
export function verdictOf(state: TrackState): 'unproven' | 'up' | 'down' {
  switch (state.kind) {
    case 'unproven':
      return 'unproven';
    case 'up':
    case 'falling':
      return 'up';
    case 'down':
    case 'rising':
      return 'down';
    default:
      return unreachable(state);
  }
}

/** The state after one more attempt. */
export function advance(state: TrackState, evidence: Evidence, thresholds: Thresholds): TrackStep {
  switch (evidence) {
    case 'pass':
      return afterPass(state, thresholds.rise);
    case 'fail':
      return afterFail(state, thresholds.fall);
    case 'inconclusive':
      return state.kind === 'unproven'
        ? afterFail(state, thresholds.fall)
        : { state, verdict: null };
    case 'none':
      return { state, verdict: null };
    default:
      return unreachable(evidence);
  }
}

function afterPass(state: TrackState, rise: number): TrackStep {
  switch (state.kind) {
    case 'unproven':
      return { state: UP, verdict: { to: 'up', why: 'first-success' } };
    case 'up':
    case 'falling':
      return { state: UP, verdict: null };
    case 'down':
    case 'rising': {
      const inARow = (state.kind === 'rising' ? state.successes : 0) + 1;
      return inARow >= rise
        ? { state: UP, verdict: { to: 'up', why: 'recovered', inARow } }
        : { state: { kind: 'rising', successes: inARow }, verdict: null };
    }
    default:
      return unreachable(state);
  }
}

function afterFail(state: TrackState, fall: number): TrackStep {
  switch (state.kind) {
    case 'unproven': {
      const inARow = state.failures + 1;
      return inARow >= fall
        ? { state: DOWN, verdict: { to: 'down', why: 'never-answered', inARow } }
        : { state: { kind: 'unproven', failures: inARow }, verdict: null };
    }
    case 'up':
    case 'falling': {
      const inARow = (state.kind === 'falling' ? state.failures : 0) + 1;
      return inARow >= fall
        ? { state: DOWN, verdict: { to: 'down', why: 'failed', inARow } }
        : { state: { kind: 'falling', failures: inARow }, verdict: null };
    }
    case 'down':
    case 'rising':
      return { state: DOWN, verdict: null };
    default:
      return unreachable(state);
  }
}
