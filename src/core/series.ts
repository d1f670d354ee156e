/**
 * Traffic counters in shared memory. Each worker writes its own block with plain stores (one
 * writer, aligned doubles), and the main thread adds the blocks up when Prometheus asks: counting
 * needs neither messages nor atomics, and it survives a worker that dies.
 */
import type { SeriesId, WorkerId } from './brand.js';
import { MAX_SERIES } from './limits.js';
import {
  CAUSES,
  type Cause,
  DATAGRAM_DROPS,
  type DatagramDrop,
  DIAL_FAILURES,
  type DialFailure,
} from './outcome.js';

/** Upper bounds in seconds; a last bucket without a bound follows. */
export const HISTOGRAM_BOUNDS_SECONDS = {
  connect: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  firstByte: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
  session: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400],
  queue: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
} as const;
export type HistogramName = keyof typeof HISTOGRAM_BOUNDS_SECONDS;

export const MICROS_A_SECOND = 1_000_000;

/** Buckets, the bucket without a bound, and the sum of what was observed, in microseconds. */
const HISTOGRAM_COLUMNS = 14 + 1 + 1;

/** Columns that count single things. */
const PLAIN = [
  'active',
  'accepted',
  'bytesIn',
  'bytesOut',
  'datagramsIn',
  'datagramsOut',
  'retries',
] as const;
export type PlainColumn = (typeof PLAIN)[number];

const CAUSES_AT = PLAIN.length;
const DIALS_AT = CAUSES_AT + CAUSES.length;
const DROPS_AT = DIALS_AT + DIAL_FAILURES.length;
const HISTOGRAMS_AT = DROPS_AT + DATAGRAM_DROPS.length;
const HISTOGRAMS = Object.keys(HISTOGRAM_BOUNDS_SECONDS) as HistogramName[];
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
export const HISTOGRAM_COLUMN = Object.fromEntries(
  HISTOGRAMS.map((name, index) => [name, HISTOGRAMS_AT + index * HISTOGRAM_COLUMNS]),
) as Readonly<Record<HistogramName, number>>;

/** Shared memory for `workers` blocks; pages that nobody touches cost nothing. */
export function createSeriesMemory(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * MAX_SERIES * COLUMNS * Float64Array.BYTES_PER_ELEMENT);
}

/** One worker's block. Only that worker may write through it. */
export class SeriesWriter {
  readonly #cells: Float64Array;

  constructor(memory: SharedArrayBuffer, worker: WorkerId) {
    const cells = MAX_SERIES * COLUMNS;
    this.#cells = new Float64Array(memory, worker * cells * 8, cells);
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
    const first = HISTOGRAM_COLUMN[name];
    this.add(series, first + bucket, 1);
    // Whole numbers: their sum is the same in whatever order accounts are added, so it never falls.
    this.add(series, first + bounds.length + 1, Math.round(seconds * MICROS_A_SECOND));
  }
}

export interface HistogramValues {
  /** Counts a bucket, not cumulative; one more than there are bounds. */
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
  return { counts, sumMicros: value(first + buckets) };
}

/** Reads the sums over all workers. */
export class SeriesReader {
  readonly #cells: Float64Array;
  readonly #workers: number;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Float64Array(memory);
    this.#workers = this.#cells.length / (MAX_SERIES * COLUMNS);
  }

  value(series: SeriesId, columnIndex: number): number {
    let sum = 0;
    for (let worker = 0; worker < this.#workers; worker++) {
      sum += this.#cells[(worker * MAX_SERIES + series) * COLUMNS + columnIndex] ?? 0;
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

  /** Sets a row to zero in every block, before the row is given to another pair. */
  clear(series: SeriesId): void {
    for (let worker = 0; worker < this.#workers; worker++) {
      const at = (worker * MAX_SERIES + series) * COLUMNS;
      this.#cells.fill(0, at, at + COLUMNS);
    }
  }

  /** A lost worker's sessions are gone: its gauges of active sessions go back to zero. */
  forgetActive(worker: WorkerId): void {
    for (let series = 0; series < MAX_SERIES; series++) {
      this.#cells[(worker * MAX_SERIES + series) * COLUMNS + PLAIN_COLUMN.active] = 0;
    }
  }
}
