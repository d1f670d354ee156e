/**
 * From the source to samples: what each metric of the catalogue says now. Counters with a reason
 * and histograms appear with their first count, so that what never happened costs no line.
 */
import { REFUSALS } from '../core/outcome.js';
import {
  CAUSE_COLUMN,
  DIAL_COLUMN,
  DROP_COLUMN,
  type HistogramName,
  histogramFrom,
  MICROS_A_SECOND,
  PLAIN_COLUMN,
} from '../core/series.js';
import { METRICS } from './catalogue.js';
import type { BackendSample, MetricsSource, SeriesRow } from './metrics_source.js';

type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  readonly value: number;
  readonly labels: Labels;
  /** Labels that many samples have in common, formatted once an object. */
  readonly sharedLabels?: Labels;
  /** Where it is not the metric's own: a histogram's `_bucket`, `_sum` and `_count`. */
  readonly metricName?: string;
}

export type Sampler = (source: MetricsSource) => Sample[];

type CountedHere =
  | 'transitions'
  | 'ejections'
  | 'dryEjections'
  | 'probe'
  | 'probeFailures'
  | 'reloads'
  | 'workerRestarts'
  | 'internalErrors'
  | 'logSuppressed';
type SampledMetric = Exclude<keyof typeof METRICS, CountedHere>;

const NONE: Labels = {};
const REFUSAL_COLUMN = Object.fromEntries(REFUSALS.map((cause) => [cause, CAUSE_COLUMN[cause]]));

/** One a metric that is read from the source; the others are counted as things happen. */
export const SAMPLERS: Readonly<Record<SampledMetric, Sampler>> = {
  accepted: begun,
  sessions: reasons('outcome', CAUSE_COLUMN),
  active: plain([[NONE, PLAIN_COLUMN.active]]),
  bytes: plain([
    [{ direction: 'in' }, PLAIN_COLUMN.bytesIn],
    [{ direction: 'out' }, PLAIN_COLUMN.bytesOut],
  ]),
  connect: histogram('connect'),
  firstByte: histogram('firstByte'),
  session: histogram('session'),
  queue: histogram('queue'),
  dialFailures: reasons('reason', DIAL_COLUMN),
  retries: plain([[NONE, PLAIN_COLUMN.retries]]),
  refused: reasons('reason', REFUSAL_COLUMN),
  datagrams: plain(
    [
      [{ direction: 'in' }, PLAIN_COLUMN.datagramsIn],
      [{ direction: 'out' }, PLAIN_COLUMN.datagramsOut],
    ],
    (row) => row.protocol !== 'tcp',
  ),
  datagramsDropped: reasons('reason', DROP_COLUMN),
  queueLength: (source) =>
    source.pools().map(({ pool, queueLength }) => ({ value: queueLength, labels: { pool } })),
  backendUp: backends((backend) => Number(backend.up)),
  backendEligible: backends((backend) => Number(backend.eligible)),
  backendWeight: backends((backend) => backend.weightEffective),
  backendActive: (source) =>
    source.places().map(({ labels, active }) => ({ value: active, labels })),
  backendCap: backends((backend) => backend.maxConnections),
  heartbeat: (source) =>
    source.workers().map((w) => ({ value: w.heartbeatAgeSeconds, labels: { worker: w.worker } })),
  configHash: (source) => [{ value: 1, labels: { hash: source.configHash() } }],
  build: (source) => [{ value: 1, labels: { ...source.build } }],
  cpu: (source) => [{ value: source.process().cpuSeconds, labels: NONE }],
  memory: (source) => [{ value: source.process().residentBytes, labels: NONE }],
  startTime: (source) => [{ value: source.process().startedAtSeconds, labels: NONE }],
};

/** Counted before a backend is chosen, and so by listener only. */
function begun(source: MetricsSource): Sample[] {
  return source
    .rows()
    .filter(({ labels }) => labels.backend === '')
    .map((row) => ({
      value: total(source, row, PLAIN_COLUMN.accepted),
      labels: { listener: row.labels.listener, pool: row.labels.pool },
    }));
}

/** Columns that are shown for every row, also at zero. */
function plain(
  columns: readonly (readonly [labels: Labels, column: number])[],
  shown: (row: SeriesRow) => boolean = () => true,
): Sampler {
  return (source) =>
    source
      .rows()
      .filter(shown)
      .flatMap((row) =>
        columns.map(([labels, column]) => ({
          value: total(source, row, column),
          labels,
          sharedLabels: row.labels,
        })),
      );
}

/** One sample a reason that has been counted at least once. */
function reasons(label: string, columns: Readonly<Record<string, number>>): Sampler {
  const labelled = Object.entries(columns).map(
    ([reason, column]) => [{ [label]: reason }, column] as const,
  );
  return (source) => {
    const samples: Sample[] = [];
    for (const row of source.rows()) {
      for (const [labels, column] of labelled) {
        const value = total(source, row, column);
        if (value > 0) samples.push({ value, labels, sharedLabels: row.labels });
      }
    }
    return samples;
  };
}

/** Cumulative buckets, sum and count, as Prometheus wants them; shared memory has them apart. */
function histogram(name: HistogramName): Sampler {
  const metric = METRICS[name];
  const les = [...metric.bounds, '+Inf'].map((bound) => ({ le: bound }));
  return (source) => {
    const samples: Sample[] = [];
    for (const row of source.rows()) {
      const { past } = row;
      const parts = row.series.map((series) => source.series.histogram(series, name));
      if (past !== null) parts.push(histogramFrom((column) => past[column] ?? 0, name));
      const sharedLabels = row.labels;
      let count = 0;
      const buckets = les.map((labels, index) => {
        for (const part of parts) count += part.counts[index] ?? 0;
        return { value: count, labels, sharedLabels, metricName: `${metric.name}_bucket` };
      });
      if (count === 0) continue;
      const sumMicros = parts.reduce((sum, part) => sum + part.sumMicros, 0);
      const sumSeconds = sumMicros / MICROS_A_SECOND;
      samples.push(
        ...buckets,
        { value: sumSeconds, labels: NONE, sharedLabels, metricName: `${metric.name}_sum` },
        { value: count, labels: NONE, sharedLabels, metricName: `${metric.name}_count` },
      );
    }
    return samples;
  };
}

function total({ series }: MetricsSource, row: SeriesRow, column: number): number {
  let sum = row.past?.[column] ?? 0;
  for (const id of row.series) sum += series.value(id, column);
  return sum;
}

function backends(value: (backend: BackendSample) => number): Sampler {
  return (source) =>
    source.backends().map((backend) => ({ value: value(backend), labels: backend.labels }));
}
