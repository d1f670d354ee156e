/**
 * How long probes took, per pool, or per backend where that is asked for. Thousands of probes a
 * second are counted here, so it is done without a label that has to be looked at: prom-client took
 * 3 µs for each, a tenth of a probe.
 */
import { METRICS } from './catalogue.js';
import type { BackendLabels } from './metric_definition.js';
import type { CountedSample } from './metrics.js';
import { bucketSamples, lesOf, type Sample } from './sample.js';

const { name: METRIC, bounds: BOUNDS } = METRICS.probe;
const LES = lesOf(BOUNDS);
/** Of totals: the bucket without a bound, and the sum of all that was observed. */
const MORE = 'more';
const SUM = 'sum';
const SAMPLES_PER_STRETCH = 2_048;

/** Of one label set. */
class Times {
  readonly labels: Readonly<Record<string, string>>;
  /** Per bucket, not cumulative. */
  readonly #counts = new Float64Array(LES.length);
  #sumSeconds = 0;

  constructor(labels: Readonly<Record<string, string>>) {
    this.labels = labels;
  }

  add(seconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sumSeconds += seconds;
  }

  /** By the bound of a bucket, not cumulative; and the sum. */
  *totals(): Iterable<CountedSample> {
    for (const [bucket, value] of this.#counts.entries()) {
      if (value > 0) yield this.#total(String(BOUNDS[bucket] ?? MORE), value);
    }
    if (this.#sumSeconds > 0) yield this.#total(SUM, this.#sumSeconds);
  }

  /** Answers whether there is such a total. */
  addTotal(of: string, value: number): boolean {
    const bucket = of === MORE ? BOUNDS.length : BOUNDS.findIndex((bound) => String(bound) === of);
    if (of === SUM) this.#sumSeconds += value;
    else if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + value;
    return of === SUM || bucket >= 0;
  }

  #total(of: string, value: number): CountedSample {
    return { metric: METRIC, labels: { ...this.labels, of }, value };
  }

  samples(): Sample[] {
    return bucketSamples(METRIC, LES, this.#counts, this.#sumSeconds, this.labels);
  }
}

interface PoolTimes {
  readonly all: Times;
  /** By backend that was probed: where it counts, `all` or its own. */
  readonly own: Map<string, Times>;
}

export class ProbeTimes {
  readonly #perBackend: () => boolean;
  #kept: 'per pool' | 'per backend' = 'per pool';
  readonly #pools = new Map<string, PoolTimes>();

  constructor(perBackend: () => boolean) {
    this.#perBackend = perBackend;
  }

  observe(backend: BackendLabels, seconds: number): void {
    this.#timesOf(backend).add(seconds);
  }

  /** For the next process. */
  *totals(): Iterable<CountedSample> {
    for (const { all, own } of this.#pools.values()) {
      for (const times of this.#kept === 'per pool' ? [all] : own.values()) yield* times.totals();
    }
  }

  /** Answers whether it makes sense; where each backend counts by itself, pools are let go. */
  takeOver({ metric, labels, value }: CountedSample): boolean {
    const { pool, backend, of } = labels;
    if (metric !== METRIC || pool === undefined || of === undefined) return false;
    if (this.#perBackend() && backend === undefined) return true;
    const times = backend === undefined ? this.#poolOf(pool).all : this.#timesOf({ pool, backend });
    return times.addTotal(of, value);
  }

  /** It begins anew when a reload changes the labels: no series is left over. */
  #poolOf(pool: string): PoolTimes {
    const kept = this.#perBackend() ? 'per backend' : 'per pool';
    if (kept !== this.#kept) this.#pools.clear();
    this.#kept = kept;
    let times = this.#pools.get(pool);
    if (times === undefined) {
      times = { all: new Times({ pool }), own: new Map() };
      this.#pools.set(pool, times);
    }
    return times;
  }

  #timesOf({ pool, backend }: BackendLabels): Times {
    const times = this.#poolOf(pool);
    let own = times.own.get(backend);
    if (own === undefined) {
      own = this.#kept === 'per backend' ? new Times({ pool, backend }) : times.all;
      times.own.set(backend, own);
    }
    return own;
  }

  /** Of a pool without backends nothing is kept. */
  forget({ pool, backend }: BackendLabels): void {
    const times = this.#pools.get(pool);
    if (times?.own.delete(backend) === true && times.own.size === 0) this.#pools.delete(pool);
  }

  /** In stretches of a bounded number of samples. */
  *samples(): Generator<readonly Sample[]> {
    let stretch: Sample[] = [];
    for (const { all, own } of this.#pools.values()) {
      for (const times of this.#kept === 'per pool' ? [all] : own.values()) {
        stretch.push(...times.samples());
        if (stretch.length < SAMPLES_PER_STRETCH) continue;
        yield stretch;
        stretch = [];
      }
    }
    yield stretch;
  }
}
