/**
 * Rebalancing after a backend came back: its pool's long-lived sessions stay where they went when
 * it failed, so that it would idle beside others at their limit for hours. A share of the pool's
 * sessions per minute is moved, from those that have more than their part, until the load is level.
 * Pure; times are monotonic milliseconds.
 */
import type { BackendId } from '../core/brand.js';

/** A backend that may serve, as it is now. */
export interface Load {
  readonly backend: BackendId;
  readonly active: number;
  /** Above 0 */
  readonly weight: number;
  /** Places that are free; Infinity where there is no cap. */
  readonly room: number;
}

/** `count` sessions of `backend` shall go elsewhere. */
export interface Move {
  readonly backend: BackendId;
  readonly count: number;
}

type State =
  | { readonly kind: 'level' }
  /** A backend came back; nothing is judged before it takes its whole part. */
  | { readonly kind: 'due'; readonly atMs: number }
  /**
   * `left` is what was too much at the beginning, less what was moved: clients that come back to
   * where they were, or not at all, cannot keep this going.
   */
  | { readonly kind: 'moving'; left: number; credit: number; lookedMs: number };

/** Policies leave loads as uneven as this by themselves; within it they are level. */
const TOLERANCE = 0.05;
const LEVEL: State = { kind: 'level' };

export class Rebalance {
  #state: State = LEVEL;

  /** A backend came back and takes its whole part from `atMs` on. */
  returned(atMs: number): void {
    const known = this.#state.kind === 'due' ? this.#state.atMs : 0;
    this.#state = { kind: 'due', atMs: Math.max(known, atMs) };
  }

  get isLevel(): boolean {
    return this.#state.kind === 'level';
  }

  /** What to move now; `percent` (above 0) of the sessions of `loads` may be moved per minute. */
  look(nowMs: number, percent: number, loads: readonly Load[]): readonly Move[] {
    const total = loads.reduce((sum, { active }) => sum + active, 0);
    const surpluses = surplusesOf(loads, total);
    const surplus = surpluses.reduce((sum, { count }) => sum + count, 0);
    const state = this.#begun(nowMs, surplus);
    if (state.kind !== 'moving') return [];
    const aMinute = (total * percent) / 100;
    const earned = (aMinute * (nowMs - state.lookedMs)) / 60_000;
    state.credit = Math.min(state.credit + earned, Math.max(1, aMinute));
    state.lookedMs = nowMs;
    if (surplus === 0 || state.left === 0) {
      this.#state = LEVEL;
      return [];
    }
    const count = Math.min(Math.floor(state.credit), state.left, surplus);
    state.credit -= count;
    state.left -= count;
    return taken(surpluses, count);
  }

  #begun(nowMs: number, surplus: number): State {
    if (this.#state.kind === 'due' && nowMs >= this.#state.atMs) {
      this.#state = { kind: 'moving', left: surplus, credit: 0, lookedMs: nowMs };
    }
    return this.#state;
  }
}

/** What each backend has beyond its part, as far as others have room for it. */
function surplusesOf(loads: readonly Load[], total: number): Move[] {
  const weights = loads.reduce((sum, { weight }) => sum + weight, 0);
  const part = ({ weight }: Load): number => (total * weight) / weights;
  const lacking = loads.reduce((sum, load) => {
    return sum + Math.min(load.room, Math.max(0, Math.floor(part(load)) - load.active));
  }, 0);
  const surpluses = loads
    .filter((load) => load.active > part(load) * (1 + TOLERANCE) + 1)
    .map((load) => ({ backend: load.backend, count: load.active - Math.ceil(part(load)) }));
  return taken(surpluses, lacking);
}

/** `count` in all, always from where most are left. */
function taken(from: readonly Move[], count: number): Move[] {
  const left = from.map((move) => ({ ...move }));
  const moves = new Map<BackendId, number>();
  for (let moved = 0; moved < count; moved++) {
    const most = left.reduce<(typeof left)[number] | null>(
      (best, one) => (one.count > (best?.count ?? 0) ? one : best),
      null,
    );
    if (most === null) break;
    most.count--;
    moves.set(most.backend, (moves.get(most.backend) ?? 0) + 1);
  }
  return [...moves].map(([backend, share]) => ({ backend, count: share }));
}
