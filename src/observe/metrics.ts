/**
 * The Prometheus exposition, and the only file that knows prom-client. What the workers count is
 * read from shared memory when Prometheus asks; what happens on the main thread is counted here.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type MetricDefinition } from './catalogue.js';
import type { MetricsSource } from './metrics_source.js';
import { SAMPLERS, type Sample, type Sampler } from './samples.js';

export interface BackendLabels {
  readonly pool: string;
  readonly backend: string;
}

/** Counters of the control plane. */
export interface ControlCounters {
  /** A backend's state became `to`. */
  transition(backend: BackendLabels, to: string): void;
  ejection(backend: BackendLabels, reason: string): void;
  /** The same in a dry run, which ejects nothing. */
  dryEjection(backend: BackendLabels, reason: string): void;
  /** One probe was over after `seconds`; `failure` is null when it succeeded. */
  probe(backend: BackendLabels, seconds: number, failure: string | null): void;
  reload(result: 'success' | 'failure'): void;
  /** A new thread took the place of a worker that died or did not answer. */
  workerRestart(worker: number): void;
  /** Defects ended so many sessions. */
  internalErrors(sessions: number): void;
  logSuppressed(event: string, lines: number): void;
  /** Drops everything counted for a backend that is gone, so that names do not pile up. */
  forget(backend: BackendLabels): void;
}

export interface Metrics extends ControlCounters {
  readonly contentType: string;
  /** All metrics of the catalogue in the text format. */
  text(): Promise<string>;
}

export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  for (const [name, sample] of Object.entries(SAMPLERS) as [keyof typeof SAMPLERS, Sampler][]) {
    registry.registerMetric(new Sampled(METRICS[name], () => sample(source)));
  }
  return {
    ...controlCounters(registry),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

/** A metric that has no state of its own: its samples are made when it is read. */
class Sampled extends Gauge<string> {
  readonly #definition: MetricDefinition;
  readonly #sample: () => Sample[];

  constructor(definition: MetricDefinition, sample: () => Sample[]) {
    super({ ...named(definition), registers: [] });
    this.#definition = definition;
    this.#sample = sample;
  }

  override async get(): ReturnType<Gauge<string>['get']> {
    const { name, help, type } = this.#definition;
    const metric = { name, help, type, aggregator: 'sum', values: this.#sample() };
    // Its declarations give the type as a number; the code writes it as it is.
    return metric as unknown as Awaited<ReturnType<Gauge<string>['get']>>;
  }
}

function controlCounters(registry: Registry): ControlCounters {
  const registers = [registry];
  const transitions = new BackendCounter(METRICS.transitions, registers);
  const ejections = new BackendCounter(METRICS.ejections, registers);
  const dryEjections = new BackendCounter(METRICS.dryEjections, registers);
  const probeFailures = new BackendCounter(METRICS.probeFailures, registers);
  const reloads = new Counter({ ...named(METRICS.reloads), registers });
  const restarts = new Counter({ ...named(METRICS.workerRestarts), registers });
  const defects = new Counter({ ...named(METRICS.internalErrors), registers });
  const suppressed = new Counter({ ...named(METRICS.logSuppressed), registers });
  const buckets = [...METRICS.probe.bounds];
  const probes = new Histogram({ ...named(METRICS.probe), buckets, registers });
  for (const result of METRICS.reloads.values) reloads.inc({ result }, 0);
  return {
    transition: (backend, to) => transitions.count(backend, to),
    ejection: (backend, reason) => ejections.count(backend, reason),
    dryEjection: (backend, reason) => dryEjections.count(backend, reason),
    probe: (backend, seconds, failure) => {
      probes.observe({ ...backend }, seconds);
      if (failure !== null) probeFailures.count(backend, failure);
    },
    reload: (result) => reloads.inc({ result }),
    workerRestart: (worker) => restarts.inc({ worker }),
    internalErrors: (sessions) => defects.inc(sessions),
    logSuppressed: (event, lines) => suppressed.inc({ event }, lines),
    forget: (backend) => {
      probes.remove({ ...backend });
      for (const counter of [transitions, ejections, dryEjections, probeFailures]) {
        counter.forget(backend);
      }
    },
  };
}

/** A counter by pool, backend and one more label, which can forget a backend. */
class BackendCounter {
  readonly #counter: Counter<string>;
  readonly #label: string;
  /** By pool and backend: the values of the label so far. */
  readonly #seen = new Map<string, Set<string>>();

  constructor(definition: MetricDefinition, registers: Registry[]) {
    this.#counter = new Counter({ ...named(definition), registers });
    this.#label = definition.labels.at(-1) ?? '';
  }

  count(backend: BackendLabels, value: string): void {
    this.#counter.inc({ ...backend, [this.#label]: value });
    const key = keyOf(backend);
    const seen = this.#seen.get(key) ?? new Set();
    this.#seen.set(key, seen.add(value));
  }

  forget(backend: BackendLabels): void {
    for (const value of this.#seen.get(keyOf(backend)) ?? []) {
      this.#counter.remove({ ...backend, [this.#label]: value });
    }
    this.#seen.delete(keyOf(backend));
  }
}

/** Neither name holds a zero byte. */
function keyOf({ pool, backend }: BackendLabels): string {
  return `${pool}\0${backend}`;
}

function named(definition: MetricDefinition): { name: string; help: string; labelNames: string[] } {
  const { name, help, labels } = definition;
  return { name, help, labelNames: [...labels] };
}
