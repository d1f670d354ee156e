/** A small control plane's state for the exposition: real shared memory, two rows, one backend. */
import type { SeriesId, WorkerId } from '../../src/core/brand.js';
import { createSeriesMemory, SeriesReader, SeriesWriter } from '../../src/core/series.js';
import type { MetricsSource, SeriesRow } from '../../src/observe/metrics_source.js';

export interface FakeSource {
  readonly source: MetricsSource;
  /** One writer a worker. */
  readonly writers: readonly SeriesWriter[];
}

/** `more`: what is not as usual. */
export function fakeSource(workers = 2, more: Partial<MetricsSource> = {}): FakeSource {
  const memory = createSeriesMemory(workers);
  // 0: no backend; 1 and 3: backend a; 2: a UDP listener's backend.
  const rows: SeriesRow[] = [
    row(0, 'tcp', { listener: 'pg', pool: 'main', backend: '' }),
    {
      ...row(1, 'tcp', { listener: 'pg', pool: 'main', backend: 'a' }),
      series: [1, 3] as SeriesId[],
    },
    row(2, 'udp', { listener: 'dns', pool: 'names', backend: 'n' }),
  ];
  const source: MetricsSource = {
    series: new SeriesReader(memory),
    rows: () => rows,
    pastOfPool: () => 0,
    givenBack: () => 0,
    backendHistograms: () => true,
    backends: () => [
      {
        labels: { pool: 'main', backend: 'a' },
        up: true,
        eligible: false,
        weightEffective: 0.5,
        maxConnections: 10,
      },
    ],
    places: () => [{ labels: { pool: 'main', backend: 'a' }, active: 7 }],
    pools: () => [
      {
        pool: 'main',
        queueLength: 3,
        held: true,
        load: { greatest: 4, median: 2 },
        firstByteSeconds: { greatest: 0.5, median: 0.25 },
        failures: null,
      },
    ],
    backendStates: () => [{ pool: 'main', state: 'drained', count: 2 }],
    overrides: () => [
      { kind: 'drain', count: 2, oldestSeconds: 1_700_000_000 },
      { kind: 'cap', count: 0, oldestSeconds: null },
    ],
    discoveries: () => [],
    workers: () => [{ worker: 0, heartbeatAgeSeconds: 0.25 }],
    configHash: () => 'abc123',
    build: { version: '1.2.3', engine: 'uring' },
    process: () => ({ cpuSeconds: 1.5, residentBytes: 1_000_000, startedAtSeconds: 1_700_000_000 }),
    ...more,
  };
  const writers = Array.from(
    { length: workers },
    (_, w) => new SeriesWriter(memory, w as WorkerId),
  );
  return { source, writers };
}

function row(id: number, protocol: 'tcp' | 'udp', labels: SeriesRow['labels']): SeriesRow {
  return { series: [id as SeriesId], past: null, protocol, labels };
}
