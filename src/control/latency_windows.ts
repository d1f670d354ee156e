/** Latencies of backends in real traffic between two looks, over all listeners that lead there. */
import type { BackendId } from '../core/brand.js';
import type { HistogramValues, SeriesReader } from '../core/series.js';
import { HISTOGRAM_BOUNDS_SECONDS } from '../core/series_layout.js';
import { type LatencySample, latencyBetween } from '../pool/latency_window.js';

/** Medians; null: too few to say. */
export interface WindowLatencies {
  readonly connect: LatencySample | null;
  readonly firstByte: LatencySample | null;
}

export const NO_LATENCIES: WindowLatencies = { connect: null, firstByte: null };

interface Histograms {
  readonly connect: HistogramValues;
  readonly firstByte: HistogramValues;
}

export class LatencyWindow {
  readonly #series: SeriesReader;
  /** By backend: the histograms at the start of the window. */
  readonly #before = new Map<BackendId, Histograms>();

  constructor(series: SeriesReader) {
    this.#series = series;
  }

  /** Medians of the window that ends now; the next one starts here. */
  next(backend: BackendId): WindowLatencies {
    const now = {
      connect: this.#sum(backend, 'connect'),
      firstByte: this.#sum(backend, 'firstByte'),
    };
    const before = this.#before.get(backend) ?? null;
    this.#before.set(backend, now);
    if (before === null) return NO_LATENCIES;
    const { connect, firstByte } = HISTOGRAM_BOUNDS_SECONDS;
    return {
      connect: latencyBetween(before.connect, now.connect, connect),
      firstByte: latencyBetween(before.firstByte, now.firstByte, firstByte),
    };
  }

  #sum(backend: BackendId, name: 'connect' | 'firstByte'): HistogramValues {
    const rows = this.#series.rowsOf(backend);
    const parts = rows.map(({ series }) => this.#series.histogram(series, name));
    const counts = [...HISTOGRAM_BOUNDS_SECONDS[name], 0].map((_, bucket) =>
      parts.reduce((sum, part) => sum + (part.counts[bucket] ?? 0), 0),
    );
    return { counts, sumMicros: parts.reduce((sum, part) => sum + part.sumMicros, 0) };
  }
}
