/** Latencies of backends in real traffic between two looks, over all listeners that lead there. */
import type { BackendId } from '../core/brand.js';
import type { SeriesReader } from '../core/series.js';
import { BUCKET_COLUMNS, HISTOGRAM_BOUNDS_SECONDS } from '../core/series_layout.js';
import { type LatencySample, latencyOf } from '../pool/latency_window.js';

/** Medians; null: too few to say. */
export interface WindowLatencies {
  readonly connect: LatencySample | null;
  readonly firstByte: LatencySample | null;
}

export const NO_LATENCIES: WindowLatencies = { connect: null, firstByte: null };

/** What is read of a row: the buckets of both histograms. */
const READ = [...BUCKET_COLUMNS.connect, ...BUCKET_COLUMNS.firstByte];
const CONNECT_BUCKETS = BUCKET_COLUMNS.connect.length;

/**
 * Of thousands of backends it is asked each half a minute: nothing is made anew each time, because
 * collecting what is thrown away takes longer than the reading.
 */
export class LatencyWindow {
  readonly #series: SeriesReader;
  /** By backend: what was counted at the start of the window, as in `READ`. */
  readonly #before = new Map<BackendId, Float64Array>();
  /** Of the backend that is asked for: what was counted so far, then within the window. */
  readonly #counts = new Float64Array(READ.length);
  readonly #connect = this.#counts.subarray(0, CONNECT_BUCKETS);
  readonly #firstByte = this.#counts.subarray(CONNECT_BUCKETS);

  constructor(series: SeriesReader) {
    this.#series = series;
  }

  /** Medians of the window that ends now; the next one starts here. */
  next(backend: BackendId): WindowLatencies {
    const counts = this.#counts.fill(0);
    for (const { series } of this.#series.rowsOf(backend)) {
      this.#series.addColumns(counts, series, READ);
    }
    const before = this.#before.get(backend);
    if (before === undefined) {
      this.#before.set(backend, counts.slice());
      return NO_LATENCIES;
    }
    let isWhole = true;
    for (let at = 0; at < READ.length; at++) {
      const count = counts[at] ?? 0;
      const gained = count - (before[at] ?? 0);
      // A listener that is gone took its row with it, or the backend has the number of another one.
      if (gained < 0) isWhole = false;
      counts[at] = gained;
      before[at] = count;
    }
    if (!isWhole) return NO_LATENCIES;
    const { connect, firstByte } = HISTOGRAM_BOUNDS_SECONDS;
    return {
      connect: latencyOf(this.#connect, connect),
      firstByte: latencyOf(this.#firstByte, firstByte),
    };
  }
}
