/**
 * Metrics of balancers for a registry of the application: prom-client's, or one with the same three
 * methods. Names, help and labels are the daemon's. Nothing is counted for it: values are read when
 * the registry is asked.
 */
import { METRICS } from '../observe/catalogue.js';
import type { Counts } from './counts.js';
import { splitKey } from './counts.js';
import { misfit } from './misfit.js';
import type { Snapshot } from './snapshot.js';

/** What of prom-client's `Registry` is used. */
export interface MetricRegistry {
  getSingleMetric(name: string): unknown;
  registerMetric(metric: never): void;
}

export interface MetricSource {
  /** Its label `pool`. */
  readonly name: string;
  readonly counts: Counts;
  snapshot(): Snapshot;
  /** Seconds since an answer of each source last counted, or since it was first asked. */
  sourceAges(): ReadonlyMap<string, number>;
}

interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
}

type Definition = Pick<(typeof METRICS)[keyof typeof METRICS], 'name' | 'help' | 'type'>;

/** In the shape of prom-client's metrics. */
class SourceMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator = 'sum';
  readonly labelNames: readonly string[] = [];
  readonly #read: (source: MetricSource) => Sample[];
  readonly #sources = new Set<MetricSource>();

  constructor({ name, help, type }: Definition, read: (source: MetricSource) => Sample[]) {
    this.name = name;
    this.help = help;
    this.type = type;
    this.#read = read;
  }

  add(source: MetricSource): void {
    this.#sources.add(source);
  }

  /** Two series of the same labels would be no series. */
  hasName(name: string): boolean {
    return [...this.#sources].some((source) => source.name === name);
  }

  remove(source: MetricSource): void {
    this.#sources.delete(source);
  }

  async get() {
    const { name, help, type, aggregator } = this;
    const values = [...this.#sources].flatMap((source) => this.#read(source));
    return { name, help, type, aggregator, values };
  }

  /** Values are read, so that there is nothing to reset. */
  reset(): void {}
}

type Reader = readonly [Definition, (source: MetricSource) => Sample[]];

const METHODS = ['getSingleMetric', 'registerMetric'] as const;

const READERS: readonly [Reader, ...Reader[]] = [
  [METRICS.queueLength, gauge(({ queued }) => queued)],
  [METRICS.backendUp, backends(({ state }) => (UP.has(state) ? 1 : 0))],
  [METRICS.backendEligible, backends(({ reason }) => (reason === null ? 1 : 0))],
  [METRICS.backendWeight, backends(({ effectiveWeight }) => effectiveWeight)],
  [METRICS.backendActive, backends(({ active }) => active)],
  [METRICS.backendCap, backends(({ maxConnections }) => maxConnections)],
  [METRICS.transitions, counter('transitions', 'to')],
  [METRICS.ejections, counter('ejections', 'reason')],
  [METRICS.probeFailures, counter('probeFailures', 'reason')],
  [
    METRICS.discoveryAge,
    (source) => {
      const { pool } = poolOf(source);
      const ages = [...source.sourceAges()];
      return ages.map(([name, value]) => ({ value, labels: { pool, source: name } }));
    },
  ],
  [METRICS.discoveryHeld, sources(({ held }) => held.length)],
  [
    METRICS.discoveryFailures,
    (source) => {
      const { pool } = poolOf(source);
      return [...source.counts.sourceFailures].map(([key, value]) => {
        const [name, reason] = splitKey(key);
        return { value, labels: { pool, source: name, reason } };
      });
    },
  ],
  [METRICS.retries, (source) => [{ value: source.counts.retries, labels: poolOf(source) }]],
  [
    METRICS.refused,
    (source) =>
      [...source.counts.refused].map(([reason, value]) => ({
        value,
        labels: { ...poolOf(source), reason },
      })),
  ],
];

/** States in which the probes find it well. */
const UP: ReadonlySet<string> = new Set(['up', 'standby', 'full', 'ejected', 'drained']);

/** Adds `source` to the metrics of `registry`; the answer takes it out again. */
export function registerMetrics(registry: MetricRegistry, source: MetricSource): () => void {
  const isRegistry = METHODS.every((method) => typeof registry?.[method] === 'function');
  if (!isRegistry) {
    throw misfit('registry', 'no registry', 'a Registry of prom-client, or its like', registry);
  }
  const [[first]] = READERS;
  const before = registry.getSingleMetric(first.name);
  if (before instanceof SourceMetric && before.hasName(source.name)) {
    const expected = 'another `name` for each balancer, and each of them once';
    throw misfit('registry', 'it has a balancer of this name', expected, source.name);
  }
  const metrics = READERS.map(([definition, read]) => {
    const known = registry.getSingleMetric(definition.name);
    const metric = known instanceof SourceMetric ? known : new SourceMetric(definition, read);
    metric.add(source);
    if (metric !== known) registry.registerMetric(metric as never);
    return metric;
  });
  return () => {
    for (const metric of metrics) metric.remove(source);
  };
}

function poolOf({ name }: MetricSource): { readonly pool: string } {
  return { pool: name };
}

function gauge(read: (snapshot: Snapshot) => number): (source: MetricSource) => Sample[] {
  return (source) => {
    const snapshot = source.snapshot();
    return [{ value: read(snapshot), labels: { pool: snapshot.name } }];
  };
}

function backends(
  read: (backend: Snapshot['backends'][number]) => number,
): (source: MetricSource) => Sample[] {
  return (source) => {
    const { name: pool, backends: all } = source.snapshot();
    return all.map((one) => ({ value: read(one), labels: { pool, backend: one.name } }));
  };
}

function sources(
  read: (source: Snapshot['sources'][number]) => number,
): (source: MetricSource) => Sample[] {
  return (source) => {
    const { name: pool, sources: all } = source.snapshot();
    return all.map((one) => ({ value: read(one), labels: { pool, source: one.name } }));
  };
}

function counter(
  of: 'transitions' | 'ejections' | 'probeFailures',
  label: string,
): (source: MetricSource) => Sample[] {
  return (source) => {
    const { pool } = poolOf(source);
    return [...source.counts[of]].map(([key, value]) => {
      const [backend, reason] = splitKey(key);
      return { value, labels: { pool, backend, [label]: reason } };
    });
  };
}
