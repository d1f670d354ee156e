/**
 * From the source to samples: what each metric of the catalogue says now. Counters with a reason
 * and histograms appear with their first count, so that what never happened costs no line.
 */
import { REFUSALS } from '../core/outcome.js';
import { type HistogramValues, histogramFrom } from '../core/series.js';
import {
  CAUSE_COLUMN,
  DIAL_COLUMN,
  DROP_COLUMN,
  DRY_COLUMN,
  HISTOGRAMS,
  type HistogramName,
  MICROS_PER_SECOND,
  PLAIN_COLUMN,
} from '../core/series_layout.js';
import { METRICS } from './catalogue.js';
import type { BackendSample, MetricsSource, PoolSample, SeriesRow } from './metrics_source.js';
import { bucketSamples, type Labels, lesOf, NO_LABELS, type Sample } from './sample.js';

/** In stretches, each of a bounded number of rows or samples; one may be empty. */
export type Sampler = (source: MetricsSource) => Iterable<readonly Sample[]>;

/** Rows that are read, or samples that are made, in one stretch: a millisecond or two. */
const ROWS_PER_STRETCH = 512;

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

const REFUSAL_COLUMN = Object.fromEntries(REFUSALS.map((cause) => [cause, CAUSE_COLUMN[cause]]));

/** One per metric that is read from the source; the others are counted as things happen. */
export const SAMPLERS: Readonly<Record<SampledMetric, Sampler>> = {
  accepted: begun,
  sessions: reasons('outcome', CAUSE_COLUMN),
  active: plain([[NO_LABELS, PLAIN_COLUMN.active]]),
  bytes: plain([
    [{ direction: 'in' }, PLAIN_COLUMN.bytesIn],
    [{ direction: 'out' }, PLAIN_COLUMN.bytesOut],
  ]),
  connect: histogram('connect'),
  firstByte: histogram('firstByte'),
  session: histogram('session'),
  queue: histogram('queue'),
  rtt: histogram('rtt'),
  retransmits: histogram('retransmits'),
  dialFailures: reasons('reason', DIAL_COLUMN),
  retries: plain([[NO_LABELS, PLAIN_COLUMN.retries]]),
  refused: reasons('reason', REFUSAL_COLUMN),
  wouldRefuse: reasons('reason', DRY_COLUMN),
  uncounted: (source) =>
    rows(source, (row, samples) => {
      const value = total(source, row, PLAIN_COLUMN.uncounted);
      const { listener, pool } = row.labels;
      if (value > 0) samples.push({ value, labels: { listener, pool } });
    }),
  datagrams: plain(
    [
      [{ direction: 'in' }, PLAIN_COLUMN.datagramsIn],
      [{ direction: 'out' }, PLAIN_COLUMN.datagramsOut],
    ],
    (row) => row.protocol !== 'tcp',
  ),
  datagramsDropped: reasons('reason', DROP_COLUMN),
  queueLength: (source) =>
    eachOf(source.pools(), ({ pool, queueLength }) => ({ value: queueLength, labels: { pool } })),
  poolBackends: (source) =>
    eachOf(source.backendStates(), ({ count, ...labels }) => ({ value: count, labels })),
  poolHeld: pools(({ held }) => Number(held)),
  overrides: (source) =>
    eachOf(source.overrides(), ({ kind, count }) => ({ value: count, labels: { kind } })),
  overridesOldest: (source) => [
    source.overrides().flatMap(({ kind, oldestSeconds }) => {
      return oldestSeconds === null ? [] : [{ value: oldestSeconds, labels: { kind } }];
    }),
  ],
  poolLoadMax: pools(({ load }) => load?.greatest),
  poolLoadMedian: pools(({ load }) => load?.median),
  poolFirstByteMax: pools(({ firstByteSeconds }) => firstByteSeconds?.greatest),
  poolFirstByteMedian: pools(({ firstByteSeconds }) => firstByteSeconds?.median),
  poolFailuresMax: pools(({ failures }) => failures?.greatest),
  poolFailuresMedian: pools(({ failures }) => failures?.median),
  backendUp: backends((backend) => Number(backend.up)),
  backendEligible: backends((backend) => Number(backend.eligible)),
  backendWeight: backends((backend) => backend.weightEffective),
  backendActive: (source) =>
    eachOf(source.places(), ({ labels, active }) => shared(active, labels)),
  backendCap: backends((backend) => backend.maxConnections),
  discoveryAge: (source) =>
    eachOf(source.discoveries(), ({ labels, ageSeconds }) => ({ labels, value: ageSeconds })),
  discoveryHeld: (source) =>
    eachOf(source.discoveries(), ({ labels, held }) => ({ labels, value: held })),
  discoveryFailures: (source) => [
    source
      .discoveries()
      .flatMap(({ labels, failures }) =>
        [...failures].map(([reason, value]) => ({ labels: { ...labels, reason }, value })),
      ),
  ],
  heartbeat: (source) =>
    eachOf(source.workers(), (w) => ({
      value: w.heartbeatAgeSeconds,
      labels: { worker: w.worker },
    })),
  configHash: (source) => one(1, { hash: source.configHash() }),
  build: (source) => one(1, { ...source.build }),
  cpu: (source) => one(source.process().cpuSeconds),
  memory: (source) => one(source.process().residentBytes),
  startTime: (source) => one(source.process().startedAtSeconds),
};

/** A figure of each pool that has it. */
function pools(of: (pool: PoolSample) => number | null | undefined): Sampler {
  return (source) => [
    source.pools().flatMap((sample) => {
      const value = of(sample) ?? null;
      return value === null ? [] : [{ value, labels: { pool: sample.pool } }];
    }),
  ];
}

/** Counted before a backend is chosen, and so by listener only. */
function begun(source: MetricsSource): Iterable<readonly Sample[]> {
  return rows(source, (row, samples) => {
    if (row.labels.backend !== '') return;
    const labels = { listener: row.labels.listener, pool: row.labels.pool };
    samples.push({ value: total(source, row, PLAIN_COLUMN.accepted), labels });
  });
}

/** Columns that are shown for every row, also at zero. */
function plain(
  columns: readonly (readonly [labels: Labels, column: number])[],
  shown: (row: SeriesRow) => boolean = () => true,
): Sampler {
  return (source) =>
    rows(source, (row, samples) => {
      if (!shown(row)) return;
      for (const [labels, column] of columns) {
        samples.push({ value: total(source, row, column), labels, sharedLabels: row.labels });
      }
    });
}

/** One sample per reason that has been counted at least once. */
function reasons(label: string, columns: Readonly<Record<string, number>>): Sampler {
  const labelled = Object.entries(columns).map(
    ([reason, column]) => [{ [label]: reason }, column] as const,
  );
  return (source) =>
    rows(source, (row, samples) => {
      for (const [labels, column] of labelled) {
        const value = total(source, row, column);
        if (value > 0) samples.push({ value, labels, sharedLabels: row.labels });
      }
    });
}

/** Per pool, or per listener and backend where that is asked for. */
function histogram(name: HistogramName): Sampler {
  return (source) =>
    source.backendHistograms()
      ? rows(source, (row, samples) => {
          const parts = row.series.map((series) => source.series.histogram(series, name));
          const { past } = row;
          if (past !== null) parts.push(histogramFrom((column) => past[column] ?? 0, name));
          samples.push(...bucketsOf(name, parts, row.labels));
        })
      : poolHistograms(source, name);
}

/** What was given back counts on in the past of its pool: no bucket falls. */
function* poolHistograms(source: MetricsSource, name: HistogramName): Generator<Sample[]> {
  const byPool = new Map<string, HistogramValues[]>();
  const gathering = rows(source, ({ series, labels }) => {
    const known = byPool.get(labels.pool) ?? [];
    byPool.set(labels.pool, known);
    for (const id of series) {
      const values = source.series.histogram(id, name);
      const [sum] = known;
      if (sum === undefined) known.push(values);
      else known[0] = added(sum, values);
    }
  });
  for (const nothing of gathering) yield [...nothing];
  for (const [pool, parts] of byPool) {
    parts.push(histogramFrom((column) => source.pastOfPool(pool, column), name));
    yield bucketsOf(name, parts, { pool });
  }
}

function added(a: HistogramValues, b: HistogramValues): HistogramValues {
  return {
    counts: a.counts.map((count, index) => count + (b.counts[index] ?? 0)),
    sumMicros: a.sumMicros + b.sumMicros,
  };
}

const LES = new Map(HISTOGRAMS.map((name) => [name, lesOf(METRICS[name].bounds)]));

function bucketsOf(
  name: HistogramName,
  parts: readonly HistogramValues[],
  sharedLabels: Labels,
): Sample[] {
  const les = LES.get(name) ?? [];
  const counts = new Float64Array(les.length);
  for (const part of parts) {
    for (const [index, count] of part.counts.entries())
      counts[index] = (counts[index] ?? 0) + count;
  }
  const sumMicros = parts.reduce((sum, part) => sum + part.sumMicros, 0);
  return bucketSamples(
    METRICS[name].name,
    les,
    counts,
    sumMicros / MICROS_PER_SECOND,
    sharedLabels,
  );
}

function total({ series }: MetricsSource, row: SeriesRow, column: number): number {
  let sum = row.past?.[column] ?? 0;
  for (const id of row.series) sum += series.value(id, column);
  return sum;
}

/** Of an object that will be asked for again. */
function shared(value: number, sharedLabels: Labels): Sample {
  return { value, labels: NO_LABELS, sharedLabels };
}

function backends(value: (backend: BackendSample) => number): Sampler {
  return (source) => eachOf(source.backends(), (backend) => shared(value(backend), backend.labels));
}

/** What `read` makes of every row. */
function* rows(
  source: MetricsSource,
  read: (row: SeriesRow, samples: Sample[]) => void,
): Generator<Sample[]> {
  const all = source.rows();
  for (let from = 0; from < all.length; from += ROWS_PER_STRETCH) {
    const samples: Sample[] = [];
    for (const row of all.slice(from, from + ROWS_PER_STRETCH)) read(row, samples);
    yield samples;
  }
}

function* eachOf<Item>(
  items: readonly Item[],
  sample: (item: Item) => Sample,
): Generator<Sample[]> {
  for (let from = 0; from < items.length; from += ROWS_PER_STRETCH) {
    yield items.slice(from, from + ROWS_PER_STRETCH).map(sample);
  }
}

function one(value: number, labels: Labels = NO_LABELS): Iterable<readonly Sample[]> {
  return [[{ value, labels }]];
}
