/**
 * Which row of counters belongs to which pair of listener and backend: in shared memory, and only
 * for pairs that have had a session. The first worker that serves a pair takes a row for it; no
 * worker asks or waits for another. Control gives rows back when listener or backend is gone.
 *
 * A row is taken in two steps. Its key is written into a free row; then the number of the row is
 * written into a table of slots with open addressing, where all workers look for it. A worker that
 * loses the second step gives its row back. Rows are dense, so that pages fill up one after the
 * other.
 *
 * Two workers that race with a release may take a row each for one pair. That is no defect:
 * counters are added up by key.
 */
import { assertShared } from './assert.js';
import type { BackendId, ListenerId } from './brand.js';
import { MAX_BACKENDS, MAX_PAIRS } from './limits.js';

/** Half full at most, so that most looks end at the first or second slot (TAOCP 3, 6.4). */
const SLOTS = 2 * MAX_PAIRS;
/** A look that has not ended by then counts as one that finds no room. */
const MOST_LOOKS = 256;
/** Others changed the slot meanwhile: after this many tries the session does without a row. */
const MOST_TRIES = 16;

const EMPTY = 0;
/** Others may stand behind it. */
const DELETED = -1;

/** Where the search for a free row begins. */
const HINT = 0;
/** Rows from here on have never been taken. */
const HIGH = 1;
/** Changes with each row that is taken or given back. */
const CHANGES = 2;
/** 1: there is no free row; a release sets it back. */
const FULL = 3;
/** 1: some backend counts alone, or did. */
const CROWDED = 4;
/** Changes with each row that is given back. */
const RELEASES = 5;
const WORDS = 16;

const KEYS_AT = WORDS;
const SLOTS_AT = KEYS_AT + MAX_PAIRS;
/** By backend: 1 when sessions are counted at the backend alone. */
const ALONE_AT = SLOTS_AT + SLOTS;
const CELLS = ALONE_AT + MAX_BACKENDS;
/** A multiple of 8. */
export const PAIR_INDEX_BYTES = CELLS * Int32Array.BYTES_PER_ELEMENT;

/** There is no row for this pair. */
export const NO_ROW = -1;

export interface PairRow {
  readonly row: number;
  readonly listener: ListenerId;
  readonly backend: BackendId;
}

export class PairIndex {
  readonly #cells: Int32Array;

  /** The first PAIR_INDEX_BYTES of `memory` are the index. */
  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory, 0, CELLS);
  }

  /** The row of a pair, or NO_ROW. */
  find(listener: ListenerId, backend: BackendId): number {
    const key = keyOf(listener, backend);
    let at = homeOf(key);
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const slot = Atomics.load(this.#cells, SLOTS_AT + at);
      if (slot === EMPTY) return NO_ROW;
      if (slot > 0 && this.#keyAt(slot - 1) === key) return slot - 1;
      at = (at + 1) % SLOTS;
    }
    return NO_ROW;
  }

  /**
   * Another number whenever a row was given back: as long as it is the same, every row is its
   * pair's. No worker serves its pair at that time, so one that reads this number before it serves
   * a pair knows of all that matter to it.
   */
  get releases(): number {
    return Atomics.load(this.#cells, RELEASES);
  }

  /** The row of a pair, taken for it if it has none yet; NO_ROW where there is no room. */
  take(listener: ListenerId, backend: BackendId): number {
    const found = this.find(listener, backend);
    return found === NO_ROW ? this.#takeNew(keyOf(listener, backend)) : found;
  }

  /** Sessions of `backend` are counted without their listener from now on. */
  countAlone(backend: BackendId): void {
    if (this.countsAlone(backend)) return;
    Atomics.store(this.#cells, ALONE_AT + backend, 1);
    Atomics.store(this.#cells, CROWDED, 1);
    this.#changed();
  }

  countsAlone(backend: BackendId): boolean {
    return Atomics.load(this.#cells, ALONE_AT + backend) !== 0;
  }

  /** True once a pair has found no row. */
  get isCrowded(): boolean {
    return Atomics.load(this.#cells, CROWDED) !== 0;
  }

  // ---- control ----

  /** Another number whenever a row was taken or given back. */
  get version(): number {
    return Atomics.load(this.#cells, CHANGES);
  }

  /** Every row in use. */
  *rows(): IterableIterator<PairRow> {
    const end = Atomics.load(this.#cells, HIGH);
    for (let row = 0; row < end; row++) {
      const key = this.#keyAt(row);
      if (key !== EMPTY) yield { row, ...pairOf(key) };
    }
  }

  /** The backends that count alone. */
  *alone(): IterableIterator<BackendId> {
    if (!this.isCrowded) return;
    for (let backend = 0; backend < MAX_BACKENDS; backend++) {
      if (this.countsAlone(backend as BackendId)) yield backend as BackendId;
    }
  }

  /**
   * Gives a row back whose counters are zero. Only control, and only when no worker can serve the
   * pair any more. `version` changes once.
   */
  release({ row, listener, backend }: PairRow): void {
    const key = keyOf(listener, backend);
    assertShared(this.#keyAt(row) === key, 'a row of counters is given back by its pair only');
    Atomics.add(this.#cells, RELEASES, 1);
    this.#forgetSlot(key, row);
    this.#freeRow(row);
  }

  /** The same for what a backend counted alone. */
  releaseAlone(backend: BackendId): void {
    Atomics.store(this.#cells, ALONE_AT + backend, 0);
    this.#changed();
  }

  #keyAt(row: number): number {
    return Atomics.load(this.#cells, KEYS_AT + row);
  }

  #takeNew(key: number): number {
    const row = this.#takeRow(key);
    if (row === NO_ROW) return NO_ROW;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const place = this.#placeFor(key);
      if (place === null) break;
      if (place.kind === 'taken') {
        this.#freeRow(row);
        return place.row;
      }
      const { at, was } = place;
      if (Atomics.compareExchange(this.#cells, SLOTS_AT + at, was, row + 1) === was) return row;
    }
    this.#freeRow(row);
    return NO_ROW;
  }

  /** The first slot that a new key may have, unless the key has one by now. */
  #placeFor(
    key: number,
  ):
    | { readonly kind: 'taken'; readonly row: number }
    | { readonly kind: 'free'; readonly at: number; readonly was: number }
    | null {
    let free: { readonly kind: 'free'; readonly at: number; readonly was: number } | null = null;
    let at = homeOf(key);
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const slot = Atomics.load(this.#cells, SLOTS_AT + at);
      if (slot > 0 && this.#keyAt(slot - 1) === key) return { kind: 'taken', row: slot - 1 };
      if (slot <= 0) free ??= { kind: 'free', at, was: slot };
      if (slot === EMPTY) break;
      at = (at + 1) % SLOTS;
    }
    return free;
  }

  #takeRow(key: number): number {
    if (Atomics.load(this.#cells, FULL) !== 0) return NO_ROW;
    const row = this.#takeFree(key);
    if (row !== NO_ROW) return row;
    Atomics.store(this.#cells, FULL, 1);
    // A row that was given back behind the search, before the mark was set, would stay unused.
    const late = this.#takeFree(key);
    if (late !== NO_ROW) Atomics.store(this.#cells, FULL, 0);
    return late;
  }

  #takeFree(key: number): number {
    const hint = Atomics.load(this.#cells, HINT);
    for (const from of hint === 0 ? [0] : [hint, 0]) {
      for (let row = from; row < MAX_PAIRS; row++) {
        if (this.#keyAt(row) !== EMPTY) continue;
        if (Atomics.compareExchange(this.#cells, KEYS_AT + row, EMPTY, key) !== EMPTY) continue;
        Atomics.store(this.#cells, HINT, row + 1);
        this.#raiseHigh(row + 1);
        this.#changed();
        return row;
      }
    }
    return NO_ROW;
  }

  #freeRow(row: number): void {
    Atomics.store(this.#cells, KEYS_AT + row, EMPTY);
    Atomics.store(this.#cells, FULL, 0);
    if (row < Atomics.load(this.#cells, HINT)) Atomics.store(this.#cells, HINT, row);
    this.#changed();
  }

  #forgetSlot(key: number, row: number): void {
    let at = homeOf(key);
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const slot = Atomics.load(this.#cells, SLOTS_AT + at);
      if (slot === EMPTY) return;
      if (slot === row + 1) return this.#clearSlot(at);
      at = (at + 1) % SLOTS;
    }
  }

  /** A slot that nothing stands behind is empty again, and so are deleted ones before it. */
  #clearSlot(slot: number): void {
    Atomics.store(this.#cells, SLOTS_AT + slot, DELETED);
    if (Atomics.load(this.#cells, SLOTS_AT + ((slot + 1) % SLOTS)) !== EMPTY) return;
    for (let at = slot; ; at = (at + SLOTS - 1) % SLOTS) {
      if (Atomics.compareExchange(this.#cells, SLOTS_AT + at, DELETED, EMPTY) !== DELETED) return;
    }
  }

  #raiseHigh(high: number): void {
    let now = Atomics.load(this.#cells, HIGH);
    while (now < high) {
      const seen = Atomics.compareExchange(this.#cells, HIGH, now, high);
      if (seen === now) return;
      now = seen;
    }
  }

  #changed(): void {
    Atomics.add(this.#cells, CHANGES, 1);
  }
}

/** Never 0. */
function keyOf(listener: ListenerId, backend: BackendId): number {
  return 1 + listener * MAX_BACKENDS + backend;
}

function pairOf(key: number): { readonly listener: ListenerId; readonly backend: BackendId } {
  const listener = Math.floor((key - 1) / MAX_BACKENDS) as ListenerId;
  return { listener, backend: ((key - 1) % MAX_BACKENDS) as BackendId };
}

/** Keys of one listener are neighbours: the finalizer of MurmurHash3 scatters them. */
function homeOf(key: number): number {
  let hash = Math.imul(key ^ (key >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % SLOTS;
}
