/**
 * The ledger's rows of backends: counts, which workers move, and states, which control writes.
 * Whatever changes in a row is noted in the journal, behind the change.
 */
import { assertShared } from '../core/assert.js';
import type { BackendId, PoolId, WorkerId } from '../core/brand.js';
import { MAX_BACKENDS } from '../core/limits.js';
import {
  ACTIVE,
  CAP,
  FOLLOWED_BY,
  HEALTH_CELL,
  REASONS,
  ROW,
  WATCHERS,
  WEIGHT,
} from './backend_row.js';
import { CountedCells } from './counted_cells.js';
import {
  ALL_CHANGES_AT_BYTE,
  CELLS,
  POOL_CHANGES_AT_BYTE,
  SHARE_ROW,
  SHARES_AT,
} from './ledger_layout.js';
import { RowChanges } from './row_changes.js';

/** Thousandths: effective weights are whole numbers in shared memory. */
const WEIGHT_SCALE = 1000;

/** `standby`: its probes find it well, but in another role than the pool wants. */
export const HEALTH_STATES = ['unproven', 'up', 'down', 'standby'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

/**
 * Reasons, beside health, why a backend gets no new sessions. Expired: its drain has waited long
 * enough for its sessions.
 */
export const CLOSED_BECAUSE = {
  ejected: 1,
  removed: 2,
  expired: 4,
  drained: 8,
  maintenance: 16,
} as const;
export type ClosedBecause = keyof typeof CLOSED_BECAUSE;

export abstract class BackendRows extends CountedCells {
  /** Which rows have changed; counts only where a cap is reached or left, or where watched. */
  readonly changes: RowChanges;

  constructor(memory: ArrayBufferLike) {
    const cells = new Int32Array(memory, 0, CELLS);
    super(cells);
    this.changes = new RowChanges({
      memory,
      allAtByte: ALL_CHANGES_AT_BYTE,
      poolsAtByte: POOL_CHANGES_AT_BYTE,
      rows: cells,
    });
  }

  // ---- counts (workers) ----

  active(backend: BackendId): number {
    return Atomics.load(this.cells, backend * ROW + ACTIVE);
  }

  /** Reserves one session at `backend`, or answers false when that would pass its cap. */
  tryTake(backend: BackendId, worker: WorkerId): boolean {
    const cap = Atomics.load(this.cells, backend * ROW + CAP);
    const most = cap === 0 ? Number.MAX_SAFE_INTEGER : cap;
    const before = this.raise(backend * ROW + ACTIVE, most);
    if (before < 0) return false;
    this.share(worker, backend);
    this.#counted(backend, before + 1);
    return true;
  }

  giveBack(backend: BackendId, worker: WorkerId): void {
    const before = this.lower(backend * ROW + ACTIVE, worker, backend);
    this.#counted(backend, before);
  }

  /** Every change of the count is noted from now on for the pool that follows the row. */
  watchCounts(backend: BackendId, worker: WorkerId): void {
    Atomics.or(this.cells, watchWord(backend, worker), 1 << (worker & 31));
  }

  /** `worker` has no order by the count in `pool` now; the row may be of another pool by now. */
  unwatchCounts(backend: BackendId, pool: PoolId, worker: WorkerId): void {
    if (Atomics.load(this.cells, backend * ROW + FOLLOWED_BY) !== pool + 1) return;
    this.#unwatch(backend, worker);
  }

  protected unwatchAll(worker: WorkerId): void {
    for (let row = 0; row < MAX_BACKENDS; row++) this.#unwatch(row as BackendId, worker);
  }

  #unwatch(backend: BackendId, worker: WorkerId): void {
    const word = watchWord(backend, worker);
    const bit = 1 << (worker & 31);
    if ((Atomics.load(this.cells, word) & bit) !== 0) Atomics.and(this.cells, word, ~bit);
  }

  /** Sessions and flows that `worker` has at `backend`. */
  activeIn(worker: WorkerId, backend: BackendId): number {
    return Atomics.load(this.cells, SHARES_AT + worker * SHARE_ROW + backend);
  }

  // ---- states (control writes, workers read) ----

  health(backend: BackendId): HealthState {
    return HEALTH_STATES[Atomics.load(this.cells, backend * ROW + HEALTH_CELL)] ?? 'unproven';
  }

  setHealth(backend: BackendId, state: HealthState): void {
    this.#set(backend, HEALTH_CELL, HEALTH_STATES.indexOf(state));
  }

  /** A bit set of CLOSED_BECAUSE. */
  closed(backend: BackendId): number {
    return Atomics.load(this.cells, backend * ROW + REASONS);
  }

  setClosed(backend: BackendId, reason: ClosedBecause): void {
    const bit = CLOSED_BECAUSE[reason];
    const before = Atomics.or(this.cells, backend * ROW + REASONS, bit);
    if ((before & bit) === 0) this.changes.note(backend);
  }

  clearClosed(backend: BackendId, reason: ClosedBecause): void {
    const bit = CLOSED_BECAUSE[reason];
    const before = Atomics.and(this.cells, backend * ROW + REASONS, ~bit);
    if ((before & bit) !== 0) this.changes.note(backend);
  }

  /** Effective weight: configured weight times slow start and degradation; 0 to 1000. */
  weight(backend: BackendId): number {
    return Atomics.load(this.cells, backend * ROW + WEIGHT) / WEIGHT_SCALE;
  }

  setWeight(backend: BackendId, weight: number): void {
    const scaled = weight > 0 ? Math.max(1, Math.round(weight * WEIGHT_SCALE)) : 0;
    this.#set(backend, WEIGHT, scaled);
  }

  /** Effective cap; 0 = none. */
  cap(backend: BackendId): number {
    return Atomics.load(this.cells, backend * ROW + CAP);
  }

  setCap(backend: BackendId, cap: number): void {
    this.#set(backend, CAP, cap);
  }

  /** Makes a row new for another backend. Its count must be zero. */
  resetBackend(backend: BackendId): void {
    assertShared(
      this.active(backend) === 0,
      'a backend row is used again while sessions are counted',
    );
    this.cells.fill(0, backend * ROW, (backend + 1) * ROW);
    this.changes.note(backend);
  }

  #set(backend: BackendId, cell: number, value: number): void {
    const before = Atomics.exchange(this.cells, backend * ROW + cell, value);
    if (before !== value) this.changes.note(backend);
  }

  /** `most` is the greater count of before and after: noted if it is at the cap, or watched. */
  #counted(backend: BackendId, most: number): void {
    const row = backend * ROW;
    const cap = Atomics.load(this.cells, row + CAP);
    if (cap !== 0 && most >= cap) this.changes.note(backend);
    else if (
      Atomics.load(this.cells, row + WATCHERS) !== 0 ||
      Atomics.load(this.cells, row + WATCHERS + 1) !== 0
    ) {
      this.changes.noteCount(backend);
    }
  }
}

function watchWord(backend: BackendId, worker: WorkerId): number {
  return backend * ROW + WATCHERS + (worker >>> 5);
}
