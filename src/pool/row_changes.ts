/**
 * Changes of backends' rows, and where they are followed. Each pool has a journal of its own, which
 * its rosters read before a choice: what happens in one pool costs no other anything. Control
 * follows all pools, and reads one journal with everything but counts.
 */
import type { BackendId, PoolId } from '../core/brand.js';
import { MAX_POOLS } from '../core/limits.js';
import { FOLLOWED_BY, ROW } from './backend_row.js';
import { ChangeJournal, type ChangeReader, journalCells } from './change_journal.js';

/** Control reads it now and then. */
const ALL_SLOT_BITS = 14;
export const ALL_CHANGES_CELLS = journalCells(ALL_SLOT_BITS);
/** A worker reads at every choice, and is behind by a few: two pages of memory, once used. */
const POOL_SLOT_BITS = 11;
const POOL_CELLS = journalCells(POOL_SLOT_BITS);

const BYTES = Int32Array.BYTES_PER_ELEMENT;

/** In front of the journals: by pool, whether anything follows it. */
const FOLLOWED_BYTES = MAX_POOLS * BYTES;

/** Of the journals of this many pools; what no pool has written takes no memory. */
export function poolChangesBytes(pools: number): number {
  return FOLLOWED_BYTES + pools * POOL_CELLS * BYTES;
}

export interface RowChangesMemory {
  readonly memory: ArrayBufferLike;
  /** Where the journal of all rows begins, and where those of pools do. */
  readonly allAtByte: number;
  readonly poolsAtByte: number;
  /** The ledger's rows of backends. */
  readonly rows: Int32Array;
}

export class RowChanges {
  readonly #deps: RowChangesMemory;
  readonly #all: ChangeJournal;
  readonly #followed: Int32Array;
  /** By pool; made when it is first needed. */
  readonly #pools: (ChangeJournal | undefined)[] = [];

  constructor(deps: RowChangesMemory) {
    this.#deps = deps;
    const { memory, allAtByte, poolsAtByte } = deps;
    this.#all = new ChangeJournal(new Int32Array(memory, allAtByte, ALL_CHANGES_CELLS));
    this.#followed = new Int32Array(memory, poolsAtByte, MAX_POOLS);
  }

  /** The row of `backend` has changed in a way from which something may follow for choices. */
  note(backend: BackendId): void {
    this.#all.note(backend);
    const pool = this.#poolOf(backend);
    if (pool !== 0) this.#journal(pool - 1).note(backend);
  }

  /** The row of `backend` has another count, and nothing follows from it but the count. */
  noteCount(backend: BackendId): void {
    const pool = this.#poolOf(backend);
    if (pool !== 0) this.#journal(pool - 1).noteCount(backend);
  }

  /** Any rows may have changed. */
  noteAll(): void {
    this.#all.noteAll();
    for (let pool = 0; pool < MAX_POOLS; pool++) {
      if (Atomics.load(this.#followed, pool) !== 0) this.#journal(pool).noteAll();
    }
  }

  /** What changes from here on, counts left out. */
  reader(): ChangeReader {
    return this.#all.reader();
  }

  /**
   * What changes from here on in these rows, which are the pool's until they are another backend's.
   * What is read of them afterwards is newer.
   */
  readerOf(pool: PoolId, backends: Iterable<BackendId>): ChangeReader {
    const { rows } = this.#deps;
    for (const backend of backends) Atomics.store(rows, backend * ROW + FOLLOWED_BY, pool + 1);
    Atomics.store(this.#followed, pool, 1);
    return this.#journal(pool).reader();
  }

  #poolOf(backend: BackendId): number {
    return Atomics.load(this.#deps.rows, backend * ROW + FOLLOWED_BY);
  }

  #journal(pool: number): ChangeJournal {
    const known = this.#pools[pool];
    if (known !== undefined) return known;
    const { memory, poolsAtByte } = this.#deps;
    const atByte = poolsAtByte + FOLLOWED_BYTES + pool * POOL_CELLS * BYTES;
    const journal = new ChangeJournal(new Int32Array(memory, atByte, POOL_CELLS));
    this.#pools[pool] = journal;
    return journal;
  }
}
