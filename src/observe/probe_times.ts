/**
 * How long probes took, per pool, or per backend where that is asked for. Thousands of probes a
 * second are counted here, so it is done without a label that has to be looked at: prom-client took
 * 3 µs for each, a tenth of a probe.
 */
import { METRICS } from './catalogue.js';
import type { BackendLabels } from './metric_definition.js';
import { bucketSamples, lesOf, type Sample } from './samples.js';

const { name: METRIC, bounds: BOUNDS } = METRICS.probe;
const LES = lesOf(BOUNDS);
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

  /** It begins anew when a reload changes the labels: no series is left over. */
  observe({ pool, backend }: BackendLabels, seconds: number): void {
    const kept = this.#perBackend() ? 'per backend' : 'per pool';
    if (kept !== this.#kept) this.#pools.clear();
    this.#kept = kept;
    let times = this.#pools.get(pool);
    if (times === undefined) {
      times = { all: new Times({ pool }), own: new Map() };
      this.#pools.set(pool, times);
    }
    let own = times.own.get(backend);
    if (own === undefined) {
      own = kept === 'per backend' ? new Times({ pool, backend }) : times.all;
      times.own.set(backend, own);
    }
    own.add(seconds);
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
