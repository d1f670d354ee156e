/**
 * The ledger's rows of backends: counts, which workers move, and states, which control writes.
 * Whatever changes in a row is noted in the journal, behind the change.
 */
import { assertShared } from '../core/assert.js';
import type { BackendId, WorkerId } from '../core/brand.js';
import { ACTIVE, CAP, HEALTH_CELL, REASONS, ROW, WATCHED, WEIGHT } from './backend_row.js';
import { ChangeJournal, JOURNAL_CELLS } from './change_journal.js';
import { CountedCells } from './counted_cells.js';
import { CELLS, JOURNAL_AT, SHARE_ROW, SHARES_AT } from './ledger_layout.js';

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
  /** Backends whose row has changed; counts only where a cap is reached or left, or watched. */
  readonly changes: ChangeJournal;

  constructor(memory: ArrayBufferLike) {
    super(new Int32Array(memory, 0, CELLS));
    const journalAt = JOURNAL_AT * Int32Array.BYTES_PER_ELEMENT;
    this.changes = new ChangeJournal(new Int32Array(memory, journalAt, JOURNAL_CELLS));
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

  /** Every change of the count is noted from now on, until the row is another backend's. */
  watchCounts(backend: BackendId): void {
    Atomics.store(this.cells, backend * ROW + WATCHED, 1);
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
    const cap = Atomics.load(this.cells, backend * ROW + CAP);
    if (cap !== 0 && most >= cap) this.changes.note(backend);
    else if (Atomics.load(this.cells, backend * ROW + WATCHED) !== 0) {
      this.changes.noteCount(backend);
    }
  }
}
