/** What a backend has done so far, over all its listeners: read on demand. */
import { CAUSES, DIAL_FAILURES } from '../core/outcome.js';
import { quantile } from '../core/quantile.js';
import { histogramFrom, type SeriesReader } from '../core/series.js';
import {
  CAUSE_COLUMN,
  DIAL_COLUMN,
  HISTOGRAM_BOUNDS_SECONDS,
  type HistogramName,
  PLAIN_COLUMN,
} from '../core/series_layout.js';
import type { Tallies } from './tallies.js';

export interface BackendTraffic {
  /** Those that reached it, the ones that it has now among them. */
  readonly sessions: number;
  /** Of them, those that had failed elsewhere first. */
  readonly retries: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** By reason, the most frequent first. */
  readonly failedDials: readonly Counted[];
  readonly ends: readonly Counted[];
  /** null: nothing was measured. */
  readonly connect: Quantiles | null;
  readonly firstByte: Quantiles | null;
}

export interface Counted {
  readonly reason: string;
  readonly count: number;
}

export interface Quantiles {
  readonly medianMs: number;
  readonly p99Ms: number;
}

export function backendTraffic(
  tallies: Pick<Tallies, 'shown'>,
  series: SeriesReader,
  pool: string,
  backend: string,
): BackendTraffic {
  const rows = tallies
    .shown()
    .filter(({ labels }) => labels.backend === backend && labels.pool === pool);
  const value = (column: number): number => {
    let sum = 0;
    for (const row of rows) {
      sum += row.past?.[column] ?? 0;
      for (const id of row.series) sum += series.value(id, column);
    }
    return sum;
  };
  const ends = counted(CAUSES, (cause) => value(CAUSE_COLUMN[cause]));
  const ended = ends.reduce((sum, { count }) => sum + count, 0);
  return {
    sessions: ended + value(PLAIN_COLUMN.active),
    retries: value(PLAIN_COLUMN.retries),
    bytesIn: value(PLAIN_COLUMN.bytesIn),
    bytesOut: value(PLAIN_COLUMN.bytesOut),
    failedDials: counted(DIAL_FAILURES, (failure) => value(DIAL_COLUMN[failure])),
    ends,
    connect: quantiles(value, 'connect'),
    firstByte: quantiles(value, 'firstByte'),
  };
}

function counted<T extends string>(
  reasons: readonly T[],
  countOf: (reason: T) => number,
): readonly Counted[] {
  return reasons
    .map((reason) => ({ reason, count: countOf(reason) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

function quantiles(value: (column: number) => number, name: HistogramName): Quantiles | null {
  const { counts } = histogramFrom(value, name);
  const bounds = HISTOGRAM_BOUNDS_SECONDS[name];
  const medianMs = 1_000 * quantile(counts, bounds, 0.5);
  if (Number.isNaN(medianMs)) return null;
  return { medianMs, p99Ms: 1_000 * quantile(counts, bounds, 0.99) };
}
