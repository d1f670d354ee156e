/**
 * The Prometheus exposition, and the only file that knows prom-client. What the workers count is
 * read from shared memory when Prometheus asks; what happens on the main thread is counted here.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import { METRICS } from './catalogue.js';
import type { BackendLabels, MetricDefinition } from './metric_definition.js';
import type { MetricsSource } from './metrics_source.js';
import { type Family, type Format, pageOf } from './page.js';
import { ProbeTimes } from './probe_times.js';
import type { Sample } from './sample.js';
import { SAMPLERS, type Sampler } from './samples.js';

/** What a counter of the control plane has, or how much it has grown. */
export interface CountedSample {
  /** Its name in the exposition. */
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
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
  /** Defects ended this many sessions. */
  internalErrors(sessions: number): void;
  logSuppressed(event: string, lines: number): void;
  /** Drops everything counted for a backend that is gone, so that names do not pile up. */
  forget(backend: BackendLabels): void;
}

/** What of it goes over to the next process. */
export interface CounterTotals {
  totals(): Promise<readonly CountedSample[]>;
  /** Another process, before this one, has counted it. Answers whether it makes sense. */
  takeOver(sample: CountedSample): boolean;
}

export interface Metrics extends ControlCounters, CounterTotals {
  readonly contentType: string;
  /** All metrics of the catalogue in the text format. */
  text(): Promise<string>;
}

/** A page is made again when rows were given back meanwhile; at the last try in one go. */
const MAX_TRIES = 3;
/** Samples of what is counted here that are formatted in one stretch. */
const SAMPLES_PER_STRETCH = 2_048;

/** `pause` lets everything else have its turn. */
export function createMetrics(source: MetricsSource, pause: () => Promise<void>): Metrics {
  const registry = new Registry();
  const probes = new ProbeTimes(() => source.backendHistograms());
  const { knowWorkers, ...counters } = controlCounters(registry, probes);
  const probed = { definition: METRICS.probe, samples: lazily(() => probes.samples()) };
  return {
    ...counters,
    contentType: registry.contentType,
    text: async () => {
      knowWorkers(source.workers().map(({ worker }) => worker));
      for (let tries = 1; ; tries++) {
        const before = source.givenBack();
        const inOneGo = tries === MAX_TRIES;
        const families = [...sampled(source), ...(await countedHere(registry)), probed];
        const text = await pageOf(families, formatOf, inOneGo ? noPause : pause);
        if (inOneGo || source.givenBack() === before) return text;
      }
    },
  };
}

function formatOf(definition: Family['definition']): Format {
  const stretch = new Stretch(definition);
  const registry = new Registry();
  registry.registerMetric(stretch);
  return (values) => {
    stretch.values = values;
    return registry.getSingleMetricAsString(definition.name);
  };
}

/** A metric that has the samples of one stretch. */
class Stretch extends Gauge<string> {
  values: readonly Sample[] = [];
  readonly #definition: Family['definition'];

  constructor(definition: Family['definition']) {
    const { name, help } = definition;
    super({ name, help, registers: [] });
    this.#definition = definition;
  }

  override async get(): ReturnType<Gauge<string>['get']> {
    const metric = { ...this.#definition, aggregator: 'sum', values: this.values };
    // Its declarations give the type as a number; the code writes it as it is.
    return metric as unknown as Awaited<ReturnType<Gauge<string>['get']>>;
  }
}

const noPause = async (): Promise<void> => {};

function sampled(source: MetricsSource): Family[] {
  const page = oncePerPage(source);
  return (Object.entries(SAMPLERS) as [keyof typeof SAMPLERS, Sampler][]).map(([name, sample]) => ({
    definition: METRICS[name],
    samples: lazily(() => sample(page)),
  }));
}

/** Lists that several metrics read are made once. */
function oncePerPage(source: MetricsSource): MetricsSource {
  return {
    series: source.series,
    build: source.build,
    rows: once(() => source.rows()),
    backends: once(() => source.backends()),
    places: once(() => source.places()),
    pools: once(() => source.pools()),
    backendStates: () => source.backendStates(),
    overrides: once(() => source.overrides()),
    discoveries: once(() => source.discoveries()),
    workers: () => source.workers(),
    configHash: () => source.configHash(),
    process: () => source.process(),
    pastOfPool: (pool, column) => source.pastOfPool(pool, column),
    givenBack: () => source.givenBack(),
    backendHistograms: () => source.backendHistograms(),
  };
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function lazily<Item>(make: () => Iterable<Item>): Iterable<Item> {
  return { [Symbol.iterator]: () => make()[Symbol.iterator]() };
}

async function countedHere(registry: Registry): Promise<Family[]> {
  return (await registry.getMetricsAsJSON()).map(({ name, help, type, values }) => ({
    // Its declarations give the type as a number; it is the word.
    definition: { name, help, type: type as unknown as MetricDefinition['type'] },
    samples: pieces(values as readonly Sample[]),
  }));
}

function* pieces(samples: readonly Sample[]): Generator<readonly Sample[]> {
  for (let from = 0; from < samples.length; from += SAMPLES_PER_STRETCH) {
    yield samples.slice(from, from + SAMPLES_PER_STRETCH).map(kept);
  }
}

/** A counter keeps its labels in one object: formatted once. */
function kept(sample: Sample): Sample {
  if (sample.sharedLabels !== undefined) return sample;
  return { ...sample, labels: {}, sharedLabels: sample.labels };
}

interface Counted extends ControlCounters, CounterTotals {
  /** A rate sees the first restart of a worker only if its counter has been 0 before. */
  knowWorkers(workers: readonly number[]): void;
}

function controlCounters(registry: Registry, probes: ProbeTimes): Counted {
  const registers = [registry];
  const counters: Counter<string>[] = [];
  const counter = (definition: MetricDefinition): Counter<string> => {
    const made = new Counter({ ...named(definition), registers });
    counters.push(made);
    return made;
  };
  const transitions = new BackendCounter(METRICS.transitions, registers);
  const ejections = new BackendCounter(METRICS.ejections, registers);
  const dryEjections = new BackendCounter(METRICS.dryEjections, registers);
  const probeFailures = new BackendCounter(METRICS.probeFailures, registers);
  const reloads = counter(METRICS.reloads);
  const restarts = counter(METRICS.workerRestarts);
  const defects = counter(METRICS.internalErrors);
  const suppressed = counter(METRICS.logSuppressed);
  for (const result of METRICS.reloads.values) reloads.inc({ result }, 0);
  const perBackend = [transitions, ejections, dryEjections, probeFailures];
  const taking = takingOver(counters, perBackend);
  return {
    transition: (backend, to) => transitions.count(backend, to),
    ejection: (backend, reason) => ejections.count(backend, reason),
    dryEjection: (backend, reason) => dryEjections.count(backend, reason),
    probe: (backend, seconds, failure) => {
      probes.observe(backend, seconds);
      if (failure !== null) probeFailures.count(backend, failure);
    },
    reload: (result) => reloads.inc({ result }),
    workerRestart: (worker) => restarts.inc({ worker }),
    knowWorkers: (workers) => {
      for (const worker of workers) restarts.inc({ worker }, 0);
    },
    internalErrors: (sessions) => defects.inc(sessions),
    logSuppressed: (event, lines) => suppressed.inc({ event }, lines),
    totals: async () => [...(await totalsIn(registry)), ...probes.totals()],
    takeOver: (sample) => taking(sample) || probes.takeOver(sample),
    forget: (backend) => {
      probes.forget(backend);
      for (const counter of perBackend) counter.forget(backend);
    },
  };
}

async function totalsIn(registry: Registry): Promise<CountedSample[]> {
  return (await registry.getMetricsAsJSON()).flatMap(({ name, values }) =>
    (values as readonly Sample[])
      .filter(({ value }) => value > 0)
      .map(({ labels, value }) => ({ metric: name, labels: textsOf(labels), value })),
  );
}

function textsOf(labels: Sample['labels']): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}

/** Answers whether `sample` is one of these counters. */
function takingOver(plain: readonly Counter<string>[], perBackend: readonly BackendCounter[]) {
  const adders = new Map<string, (sample: CountedSample) => void>();
  for (const counter of plain) {
    const { name } = counter as unknown as { readonly name: string };
    adders.set(name, ({ labels, value }) => counter.inc({ ...labels }, value));
  }
  for (const counter of perBackend) adders.set(counter.name, (sample) => counter.add(sample));
  return (sample: CountedSample): boolean => {
    const add = adders.get(sample.metric);
    if (add === undefined) return false;
    try {
      add(sample);
      return true;
    } catch {
      // A counter of that name has other labels here.
      return false;
    }
  };
}

/** A counter by pool, backend and one more label, which can forget a backend. */
class BackendCounter {
  readonly name: string;
  readonly #counter: Counter<string>;
  readonly #label: string;
  /** By pool and backend: the values of the label so far. */
  readonly #seen = new Map<string, Set<string>>();

  constructor(definition: MetricDefinition, registers: Registry[]) {
    this.name = definition.name;
    this.#counter = new Counter({ ...named(definition), registers });
    this.#label = definition.labels.at(-1) ?? '';
  }

  add({ labels, value }: CountedSample): void {
    const { pool = '', backend = '' } = labels;
    this.count({ pool, backend }, labels[this.#label] ?? '', value);
  }

  count(backend: BackendLabels, value: string, times = 1): void {
    this.#counter.inc({ ...backend, [this.#label]: value }, times);
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
  const { name, help, labels, labelsOnDemand = [] } = definition;
  return { name, help, labelNames: [...labels, ...labelsOnDemand] };
}
