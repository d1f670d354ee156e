/**
 * Traffic counters in shared memory. Each worker writes its own block with plain stores (one
 * writer, aligned doubles), and the main thread adds the blocks up when Prometheus asks: counting
 * needs neither messages nor atomics, and it survives a worker that dies.
 *
 * Three kinds of rows: listeners, for sessions that have no backend, which control hands out; pairs
 * of listener and backend, which workers take at a pair's first session (pair_index.ts); and
 * backends, for sessions of pairs that found no row.
 */
import type { BackendId, ListenerId, SeriesId, WorkerId } from './brand.js';
import { LastRows } from './last_rows.js';
import { MAX_BACKENDS, MAX_LISTENERS, MAX_PAIRS } from './limits.js';
import { NO_ROW, PAIR_INDEX_BYTES, PairIndex } from './pair_index.js';
import {
  BUCKET_COLUMNS,
  CAUSE_COLUMN,
  COLUMNS,
  HISTOGRAM_BOUNDS_SECONDS,
  type HistogramName,
  MICROS_PER_SECOND,
  NEAR_COLUMNS,
  PLAIN_COLUMN,
  SUM_COLUMN,
} from './series_layout.js';

/** A listener that leads to another pool than before has two rows for a while. */
export const LISTENER_ROWS = 2 * MAX_LISTENERS;
const BACKENDS_AT = LISTENER_ROWS;
const PAIRS_AT = BACKENDS_AT + MAX_BACKENDS;
const ROWS = PAIRS_AT + MAX_PAIRS;
const FAR_COLUMNS = COLUMNS - NEAR_COLUMNS;
/** Of a block: near columns of all rows come first, so that those of thousands fill few pages. */
const FAR_AT = ROWS * NEAR_COLUMNS;
/** A multiple of a cache line. */
const BLOCK = ROWS * COLUMNS;

/** Shared memory for `workers` blocks; untouched pages cost nothing. */
export function createSeriesMemory(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(PAIR_INDEX_BYTES + workers * BLOCK * Float64Array.BYTES_PER_ELEMENT);
}

/** One worker's block. Only that worker may write through it. */
export class SeriesWriter {
  readonly #cells: Float64Array;
  readonly #pairs: PairIndex;
  readonly #rows: LastRows;

  constructor(memory: SharedArrayBuffer, worker: WorkerId) {
    this.#pairs = new PairIndex(memory);
    this.#rows = new LastRows(this.#pairs);
    this.#cells = new Float64Array(memory, PAIR_INDEX_BYTES + worker * BLOCK * 8, BLOCK);
  }

  /** Where a session of `listener` at `backend` is counted. */
  rowOf(listener: ListenerId, backend: BackendId): SeriesId {
    const row = this.#rows.take(listener, backend);
    if (row !== NO_ROW) return (PAIRS_AT + row) as SeriesId;
    this.#pairs.countAlone(backend);
    return (BACKENDS_AT + backend) as SeriesId;
  }

  /** Adds `amount` to the cell `columnIndex` (from the tables above) of row `series`. */
  add(series: SeriesId, columnIndex: number, amount: number): void {
    const at = cellOf(series, columnIndex);
    this.#cells[at] = (this.#cells[at] ?? 0) + amount;
  }

  /** Counts one observation of `seconds` in the histogram `name`. */
  observe(series: SeriesId, name: HistogramName, seconds: number): void {
    const bounds = HISTOGRAM_BOUNDS_SECONDS[name];
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++;
    this.add(series, BUCKET_COLUMNS[name][bucket] ?? 0, 1);
    // Whole numbers: their sum is the same in whatever order accounts are added, so it never falls.
    this.add(series, SUM_COLUMN[name], Math.round(seconds * MICROS_PER_SECOND));
  }
}

export interface HistogramValues {
  /** Counts per bucket, not cumulative; one more than there are bounds. */
  readonly counts: readonly number[];
  /** Microseconds, a whole number; to be divided when all parts have been added. */
  readonly sumMicros: number;
}

/** The histogram `name` of any account that has the columns of a row. */
export function histogramFrom(
  value: (columnIndex: number) => number,
  name: HistogramName,
): HistogramValues {
  const counts = BUCKET_COLUMNS[name].map(value);
  return { counts, sumMicros: value(SUM_COLUMN[name]) };
}

/** A row of a backend. */
export interface BackendRow {
  readonly series: SeriesId;
  /** null: sessions of several listeners, for which there was no row each. */
  readonly listener: ListenerId | null;
}

export type PairOf = BackendRow & { readonly listener: ListenerId };

const NO_ROWS: readonly BackendRow[] = [];

/** Reads the sums over all workers. */
export class SeriesReader {
  readonly #cells: Float64Array;
  readonly #workers: number;
  readonly #pairs: PairIndex;
  /** By backend, as of `#seen`. */
  #byBackend = new Map<BackendId, BackendRow[]>();
  #seen = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#pairs = new PairIndex(memory);
    this.#cells = new Float64Array(memory, PAIR_INDEX_BYTES);
    this.#workers = this.#cells.length / BLOCK;
  }

  value(series: SeriesId, columnIndex: number): number {
    let sum = 0;
    for (let worker = 0; worker < this.#workers; worker++) {
      sum += this.#cells[worker * BLOCK + cellOf(series, columnIndex)] ?? 0;
    }
    return sum;
  }

  histogram(series: SeriesId, name: HistogramName): HistogramValues {
    return histogramFrom((columnIndex) => this.value(series, columnIndex), name);
  }

  /** Adds the columns of a row that `columns` names to `sums`, in that order. */
  addColumns(sums: Float64Array, series: SeriesId, columns: readonly number[]): void {
    for (let at = 0; at < columns.length; at++) {
      sums[at] = (sums[at] ?? 0) + this.value(series, columns[at] ?? 0);
    }
  }

  /** Adds every column of a row to `account`, which has COLUMNS cells. */
  addTo(account: Float64Array, series: SeriesId): void {
    for (let at = 0; at < COLUMNS; at++) {
      account[at] = (account[at] ?? 0) + this.value(series, at);
    }
  }

  /** Where sessions at `backend` were counted so far. */
  rowsOf(backend: BackendId): readonly BackendRow[] {
    return this.#rows().get(backend) ?? NO_ROWS;
  }

  /** The same for every backend that has had a session. */
  backendRows(): Iterable<readonly [BackendId, readonly BackendRow[]]> {
    return this.#rows();
  }

  eachBackendRow(visit: (row: BackendRow, backend: BackendId) => void): void {
    this.#rows().forEach((rows, backend) => {
      for (const row of rows) visit(row, backend);
    });
  }

  /** Changes whenever any backend has a row more or less. */
  get rowsVersion(): number {
    return this.#pairs.version;
  }

  /** True once a pair has found no row. */
  get isCrowded(): boolean {
    return this.#pairs.isCrowded;
  }

  /** Sets a row of a listener to zero in every block, before it is given to another one. */
  clear(series: SeriesId): void {
    for (let worker = 0; worker < this.#workers; worker++) {
      for (let at = 0; at < COLUMNS; at++) this.#zero(worker * BLOCK + cellOf(series, at));
    }
  }

  /** Gives back every row of a backend: no worker's plan names it, and no session counts there. */
  releaseBackend(backend: BackendId): void {
    for (const row of this.rowsOf(backend)) this.#release(backend, row);
    this.#byBackend.delete(backend);
  }

  /** Gives back the rows of pairs that are of no use any more. */
  releasePairs(isGone: (row: PairOf, backend: BackendId) => boolean): void {
    for (const [backend, rows] of this.#rows()) {
      const gone = rows.filter((row) => row.listener !== null && isGone(row as PairOf, backend));
      if (gone.length === 0) continue;
      for (const row of gone) this.#release(backend, row);
      this.#byBackend.set(
        backend,
        rows.filter((row) => !gone.includes(row)),
      );
    }
  }

  /**
   * A lost worker's sessions are gone: those that were active have ended so. Answers where and how
   * many. Its block has no other writer any more.
   */
  loseActive(worker: WorkerId): ReadonlyMap<SeriesId, number> {
    const lost = new Map<SeriesId, number>();
    const lose = (series: SeriesId): void => {
      const here = worker * BLOCK + cellOf(series, PLAIN_COLUMN.active);
      const active = this.#cells[here] ?? 0;
      this.#zero(here);
      if (active <= 0) return;
      const ended = worker * BLOCK + cellOf(series, CAUSE_COLUMN['worker-lost']);
      this.#cells[ended] = (this.#cells[ended] ?? 0) + active;
      lost.set(series, active);
    };
    for (let series = 0; series < LISTENER_ROWS; series++) lose(series as SeriesId);
    for (const rows of this.#rows().values()) for (const { series } of rows) lose(series);
    return lost;
  }

  #rows(): ReadonlyMap<BackendId, readonly BackendRow[]> {
    const version = this.#pairs.version;
    if (version === this.#seen) return this.#byBackend;
    const rows = new Map<BackendId, BackendRow[]>();
    const add = (backend: BackendId, row: BackendRow): void => {
      const known = rows.get(backend);
      if (known === undefined) rows.set(backend, [row]);
      else known.push(row);
    };
    for (const { row, listener, backend } of this.#pairs.rows()) {
      add(backend, { series: (PAIRS_AT + row) as SeriesId, listener });
    }
    for (const backend of this.#pairs.alone()) {
      add(backend, { series: (BACKENDS_AT + backend) as SeriesId, listener: null });
    }
    this.#byBackend = rows;
    this.#seen = version;
    return rows;
  }

  #release(backend: BackendId, { series, listener }: BackendRow): void {
    this.clear(series);
    if (listener === null) this.#pairs.releaseAlone(backend);
    else this.#pairs.release({ row: series - PAIRS_AT, listener, backend });
    // This change is known; those of workers meanwhile are not.
    this.#seen = (this.#seen + 1) | 0;
  }

  /** A page that was never written to is not made by a zero. */
  #zero(cell: number): void {
    if (this.#cells[cell] !== 0) this.#cells[cell] = 0;
  }
}

/** Of a block. */
function cellOf(series: SeriesId, columnIndex: number): number {
  return columnIndex < NEAR_COLUMNS
    ? series * NEAR_COLUMNS + columnIndex
    : FAR_AT + series * FAR_COLUMNS + columnIndex - NEAR_COLUMNS;
}
