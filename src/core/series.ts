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
import {
  CAUSES,
  type Cause,
  DATAGRAM_DROPS,
  type DatagramDrop,
  DIAL_FAILURES,
  type DialFailure,
  DRY_REFUSALS,
  type DryRefusal,
} from './outcome.js';
import { NO_ROW, PAIR_INDEX_BYTES, PairIndex } from './pair_index.js';

/** Upper bounds in seconds; a last bucket without a bound follows. */
export const HISTOGRAM_BOUNDS_SECONDS = {
  connect: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  firstByte: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
  session: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400],
  queue: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  rtt: [
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
  ],
  /** Not seconds: segments. */
  retransmits: [0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000],
} as const;
export type HistogramName = keyof typeof HISTOGRAM_BOUNDS_SECONDS;

export const MICROS_A_SECOND = 1_000_000;

/** Buckets, and the bucket without a bound. */
const HISTOGRAM_COLUMNS = 14 + 1;

/** Columns that count single things. */
const PLAIN = [
  'accepted',
  'datagramsIn',
  'datagramsOut',
  'retries',
  'uncounted',
  'active',
  'bytesIn',
  'bytesOut',
] as const;
export type PlainColumn = (typeof PLAIN)[number];

// What every session of a pair counts stands side by side, from `active` to the first causes: of
// thousands of rows each line is a miss of the caches.
const SUMS_AT = PLAIN.length;
const CAUSES_AT = SUMS_AT + Object.keys(HISTOGRAM_BOUNDS_SECONDS).length;
const DIALS_AT = CAUSES_AT + CAUSES.length;
const DROPS_AT = DIALS_AT + DIAL_FAILURES.length;
const DRY_AT = DROPS_AT + DATAGRAM_DROPS.length;
const HISTOGRAMS_AT = DRY_AT + DRY_REFUSALS.length;
export const HISTOGRAMS = Object.keys(HISTOGRAM_BOUNDS_SECONDS) as readonly HistogramName[];
/** Of one row. */
export const COLUMNS = HISTOGRAMS_AT + HISTOGRAMS.length * HISTOGRAM_COLUMNS;

const column = (names: readonly string[], start: number): Readonly<Record<string, number>> =>
  Object.fromEntries(names.map((name, index) => [name, start + index]));

/** Where a value stands in a row; look one up once and keep it where speed matters. */
export const PLAIN_COLUMN = column(PLAIN, 0) as Readonly<Record<PlainColumn, number>>;
export const CAUSE_COLUMN = column(CAUSES, CAUSES_AT) as Readonly<Record<Cause, number>>;
export const DIAL_COLUMN = column(DIAL_FAILURES, DIALS_AT) as Readonly<Record<DialFailure, number>>;
export const DROP_COLUMN = column(DATAGRAM_DROPS, DROPS_AT) as Readonly<
  Record<DatagramDrop, number>
>;
export const DRY_COLUMN = column(DRY_REFUSALS, DRY_AT) as Readonly<Record<DryRefusal, number>>;
export const HISTOGRAM_COLUMN = Object.fromEntries(
  HISTOGRAMS.map((name, index) => [name, HISTOGRAMS_AT + index * HISTOGRAM_COLUMNS]),
) as Readonly<Record<HistogramName, number>>;
/** The sums of what was observed, in microseconds. */
export const SUM_COLUMN = column(HISTOGRAMS, SUMS_AT) as Readonly<Record<HistogramName, number>>;

/** A listener that leads to another pool than before has two rows for a while. */
export const LISTENER_ROWS = 2 * MAX_LISTENERS;
const BACKENDS_AT = LISTENER_ROWS;
const PAIRS_AT = BACKENDS_AT + MAX_BACKENDS;
const ROWS = PAIRS_AT + MAX_PAIRS;
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
    const at = series * COLUMNS + columnIndex;
    this.#cells[at] = (this.#cells[at] ?? 0) + amount;
  }

  /** Counts one observation of `seconds` in the histogram `name`. */
  observe(series: SeriesId, name: HistogramName, seconds: number): void {
    const bounds = HISTOGRAM_BOUNDS_SECONDS[name];
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++;
    this.add(series, HISTOGRAM_COLUMN[name] + bucket, 1);
    // Whole numbers: their sum is the same in whatever order accounts are added, so it never falls.
    this.add(series, SUM_COLUMN[name], Math.round(seconds * MICROS_A_SECOND));
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
  const first = HISTOGRAM_COLUMN[name];
  const buckets = HISTOGRAM_BOUNDS_SECONDS[name].length + 1;
  const counts = Array.from({ length: buckets }, (_, i) => value(first + i));
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
      sum += this.#cells[worker * BLOCK + series * COLUMNS + columnIndex] ?? 0;
    }
    return sum;
  }

  histogram(series: SeriesId, name: HistogramName): HistogramValues {
    return histogramFrom((columnIndex) => this.value(series, columnIndex), name);
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
      const at = worker * BLOCK + series * COLUMNS;
      for (let cell = at; cell < at + COLUMNS; cell++) this.#zero(cell);
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
      const row = worker * BLOCK + series * COLUMNS;
      const active = this.#cells[row + PLAIN_COLUMN.active] ?? 0;
      this.#zero(row + PLAIN_COLUMN.active);
      if (active <= 0) return;
      const ended = row + CAUSE_COLUMN['worker-lost'];
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
