/**
 * Evidence against backends, and which are ejected, in shared memory. Every worker counts failures
 * here, and the one that counts the last failure allowed ejects the backend at once (`ejecting.ts`
 * has the order of steps).
 *
 * Evidence has a time and counts once. The times of the last failures stand in a small ring; and a
 * return from an ejection begins a new *term*, so that sessions chosen before it say nothing.
 */
import type { BackendId, PoolId } from '../core/brand.js';
import { MAX_BACKENDS, MAX_POOLS } from '../core/limits.js';
import { FAILURES, ROW, RUN_START, TERM } from './backend_row.js';

/**
 * Two cache lines per backend: written when something fails, and hardly read otherwise. What each
 * session reads stands beside the backend's count (backend_row.ts).
 */
const OWN_ROW = 32;
const STATE = 0;
const SINCE = 1;
const IN_A_ROW = 2;
const SPARED = 3;
const TIMES = 16;
/** With more failures in a row than this, only every n-th has its time written down. */
const KEPT_TIMES = 16;

const POOLS_AT = MAX_BACKENDS * OWN_ROW;
export const EJECTION_CELLS = POOLS_AT + MAX_POOLS;

/** A pool's word: how many are out, and a number that changes with every change of it. */
const COUNT_BITS = 16;
const COUNT_MASK = (1 << COUNT_BITS) - 1;

/** `claimed`: a thread decides about it just now. */
const STATES = ['in', 'claimed', 'real', 'dry'] as const;
type EjectionState = (typeof STATES)[number];

const SPARED_BECAUSE = ['last-one', 'max-ejected-percent'] as const;
export type SparedBecause = (typeof SPARED_BECAUSE)[number];

export interface TakenOut {
  readonly sinceMs: number;
  readonly inARow: number;
  readonly effect: 'real' | 'dry';
}

/** The clocks of two threads differ by less. */
const CLOCK_SKEW_MS = 1_000;

export interface EvidenceLimits {
  readonly consecutiveFailures: number;
  /** Failures that are older do not count. */
  readonly intervalMs: number;
}

export class EjectionLedger {
  readonly #cells: Int32Array;
  /** The ledger's rows of backends. */
  readonly #rows: Int32Array;

  constructor(cells: Int32Array, rows: Int32Array) {
    this.#cells = cells;
    this.#rows = rows;
  }

  // ---- evidence ----

  /** Sessions chosen in a former term say nothing about the present one. */
  term(backend: BackendId): number {
    return Atomics.load(this.#rows, backend * ROW + TERM);
  }

  failuresInARow(backend: BackendId): number {
    const row = backend * ROW;
    const failures = Atomics.load(this.#rows, row + FAILURES);
    return (failures - Atomics.load(this.#rows, row + RUN_START)) | 0;
  }

  /** Counts a failed dial, or a session reset before the backend's first byte. */
  fail(backend: BackendId, nowMs: number, limits: EvidenceLimits | null): void {
    const row = backend * ROW;
    const stride = strideOf(limits?.consecutiveFailures ?? 1);
    let count = Atomics.load(this.#rows, row + FAILURES);
    for (;;) {
      // The time first: threads that see the count read it. Two that meet here write the same.
      if ((count >>> 0) % stride === 0) this.#cells[timeCell(backend, count, stride)] = nowMs | 0;
      const seen = Atomics.compareExchange(this.#rows, row + FAILURES, count, (count + 1) | 0);
      if (seen === count) return;
      count = seen;
    }
  }

  succeed(backend: BackendId): void {
    const row = backend * ROW;
    const failures = Atomics.load(this.#rows, row + FAILURES);
    if (Atomics.load(this.#rows, row + RUN_START) !== failures) {
      Atomics.store(this.#rows, row + RUN_START, failures);
    }
  }

  /** Failures in a row that count now; below the limit when the first of the last ones is old. */
  evidence(backend: BackendId, nowMs: number, limits: EvidenceLimits): number {
    const { consecutiveFailures: enough, intervalMs } = limits;
    const inARow = this.failuresInARow(backend);
    if (inARow < enough) return inARow;
    const stride = strideOf(enough);
    const oldest = (Atomics.load(this.#rows, backend * ROW + FAILURES) - enough) >>> 0;
    const kept = Math.ceil(oldest / stride) * stride;
    const atMs = Atomics.load(this.#cells, timeCell(backend, kept, stride));
    // Times are 32 bits of milliseconds and wrap after 49 days, so they compare by difference.
    const ageMs = (((nowMs | 0) - atMs + CLOCK_SKEW_MS) >>> 0) - CLOCK_SKEW_MS;
    return ageMs <= intervalMs ? inARow : enough - 1;
  }

  /** What was known counts no more, nor does what earlier sessions will report. */
  forget(backend: BackendId): void {
    Atomics.add(this.#rows, backend * ROW + TERM, 1);
    this.succeed(backend);
  }

  // ---- one backend's ejection ----

  state(backend: BackendId): EjectionState {
    return STATES[Atomics.load(this.#cells, backend * OWN_ROW + STATE)] ?? 'in';
  }

  /** One thread at a time decides about a backend; false when it is out, or claimed already. */
  claim(backend: BackendId): boolean {
    return Atomics.compareExchange(this.#cells, backend * OWN_ROW + STATE, 0, 1) === 0;
  }

  setIn(backend: BackendId): void {
    Atomics.store(this.#cells, backend * OWN_ROW + STATE, 0);
  }

  setOut(backend: BackendId, effect: 'real' | 'dry', inARow: number, nowMs: number): void {
    const row = backend * OWN_ROW;
    Atomics.store(this.#cells, row + SINCE, nowMs | 0);
    Atomics.store(this.#cells, row + IN_A_ROW, inARow);
    Atomics.store(this.#cells, row + STATE, STATES.indexOf(effect));
  }

  /** Since when, and for how many failures, a backend is out; null: it is in, or about to go. */
  takenOut(backend: BackendId, nowMs: number): TakenOut | null {
    const effect = this.state(backend);
    if (effect === 'in' || effect === 'claimed') return null;
    const row = backend * OWN_ROW;
    const agoMs = ((nowMs | 0) - Atomics.load(this.#cells, row + SINCE)) | 0;
    const inARow = Atomics.load(this.#cells, row + IN_A_ROW);
    return { sinceMs: nowMs - Math.max(0, agoMs), inARow, effect };
  }

  setSpared(backend: BackendId, because: SparedBecause): void {
    const code = SPARED_BECAUSE.indexOf(because) + 1;
    Atomics.store(this.#cells, backend * OWN_ROW + SPARED, code);
  }

  /** Why it was spared since the last call, if it was. */
  takeSpared(backend: BackendId): SparedBecause | null {
    const code = Atomics.exchange(this.#cells, backend * OWN_ROW + SPARED, 0);
    return SPARED_BECAUSE[code - 1] ?? null;
  }

  reset(backend: BackendId): void {
    this.#cells.fill(0, backend * OWN_ROW, (backend + 1) * OWN_ROW);
  }

  // ---- a pool's room ----

  word(pool: PoolId): number {
    return Atomics.load(this.#cells, POOLS_AT + pool);
  }

  /** Changes the count to `count` if nothing has changed since `word` was read. */
  tryCount(pool: PoolId, word: number, count: number): boolean {
    const next = (((word >>> COUNT_BITS) + 1) << COUNT_BITS) | count | 0;
    return Atomics.compareExchange(this.#cells, POOLS_AT + pool, word, next) === word;
  }
}

/** How many are out, or about to be, by a pool's word. */
export function outIn(word: number): number {
  return word & COUNT_MASK;
}

function strideOf(consecutiveFailures: number): number {
  return Math.ceil(consecutiveFailures / KEPT_TIMES);
}

function timeCell(backend: BackendId, count: number, stride: number): number {
  return backend * OWN_ROW + TIMES + (Math.floor((count >>> 0) / stride) % KEPT_TIMES);
}
