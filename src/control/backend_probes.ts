/**
 * The probes of all backends: which are probed, and what each attempt leaves in log and metrics.
 */
import type { Clock, Timers } from '../core/clock.js';
import type { ProbeSpec } from '../core/health_spec.js';
import type { Random } from '../core/random.js';
import { HealthChecker, type KnownBefore } from '../health/checker.js';
import type { KnownHealth } from '../health/known.js';
import type { Probe } from '../health/probe.js';
import type { AttemptEvent, HealthTarget, TargetHealth, VerdictEvent } from '../health/target.js';
import type { Log } from '../observe/log.js';
import type { ControlCounters } from '../observe/metrics.js';
import { healthTargetOf, namesOf, targetKey } from './health_targets.js';
import type { BackendEntry } from './inventory.js';
import type { SourceWatch } from './source_watch.js';

export interface BackendProbesDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly createProbe: (spec: ProbeSpec) => Probe;
  /** Probes at the same time: each has a descriptor. */
  readonly probesInFlight: number;
  readonly counters: ControlCounters;
  readonly log: Log;
  /** From where a backend is dialled. */
  readonly sourceFor: SourceWatch['sourceFor'];
  /** Gets what failed in one probe, or in what follows from it. */
  readonly defect: (error: unknown) => void;
}

/** What probes say of a backend that is still watched. */
export interface ProbeNews {
  readonly verdict: (entry: BackendEntry, event: VerdictEvent) => void;
  /** It asks for that share of its weight. */
  readonly share: (entry: BackendEntry, share: number) => void;
}

export class BackendProbes {
  readonly #deps: BackendProbesDeps;
  readonly #checker: HealthChecker;
  /** By the key of the health target. */
  readonly #entries = new Map<string, BackendEntry>();
  /** What was said last of each that needs care. */
  readonly #warnings = new WeakMap<BackendEntry, string>();
  /** Whether any ever needed it: mostly none, and thousands of probes per second do not look. */
  #everWarned: 'no' | 'yes' = 'no';

  constructor(deps: BackendProbesDeps, news: ProbeNews) {
    this.#deps = deps;
    this.#checker = new HealthChecker(
      { ...deps, inFlight: deps.probesInFlight },
      {
        onVerdict: (event) => {
          const entry = this.#entries.get(event.key);
          if (entry !== undefined) news.verdict(entry, event);
        },
        onShare: ({ key, share }) => {
          const entry = this.#entries.get(key);
          if (entry !== undefined) news.share(entry, share);
        },
        onAttempt: (event) => this.#attempted(event),
      },
    );
  }

  /**
   * Of `backends` those are watched that stay; what is in maintenance is not probed. `known`: what
   * the process before this one knew of one that is new.
   */
  watch(backends: Iterable<BackendEntry>, known: KnownBefore): void {
    this.#entries.clear();
    const targets: HealthTarget[] = [];
    for (const entry of backends) {
      if (entry.tenure === 'leaving' || entry.spec.admin === 'maintenance') continue;
      this.#entries.set(targetKey(entry), entry);
      targets.push(healthTargetOf(entry, this.#deps.sourceFor(entry.pool, entry.endpoint)));
    }
    this.#checker.update(targets, known);
  }

  /** How many start per second, at most; 0: as many as are due. */
  limit(perSecond: number): void {
    this.#checker.limit(perSecond);
  }

  /** How many per second the intervals of all backends ask for. */
  wantedPerSecond(): number {
    return this.#checker.wantedPerSecond();
  }

  /** What they say about `entry`; null: it is not watched. */
  healthOf(entry: BackendEntry): TargetHealth | null {
    return this.#checker.healthOf(targetKey(entry));
  }

  /** For the next process; null: it is not watched. */
  knownOf(entry: BackendEntry): KnownHealth | null {
    return this.#checker.knownOf(targetKey(entry));
  }

  /** None begins any more: another process goes on. */
  pause(): void {
    this.#checker.pause();
  }

  resume(): void {
    this.#checker.resume();
  }

  stop(): Promise<void> {
    return this.#checker.stop();
  }

  #attempted({ key, result, durationMs }: AttemptEvent): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    const { counters, log } = this.#deps;
    const failure = result.ok ? null : result.failure;
    counters.probe(namesOf(entry), durationMs / 1000, failure);
    if (result.ok) return this.#warn(entry, result.warning ?? '');
    const { failure: cause, detail } = result;
    log.event('probe-failed', { ...namesOf(entry), cause, detail, duration_ms: durationMs });
  }

  /** The same warning is worth one line, not one per probe. */
  #warn(entry: BackendEntry, warning: string): void {
    if (warning === '' && this.#everWarned === 'no') return;
    if (warning === (this.#warnings.get(entry) ?? '')) return;
    this.#everWarned = 'yes';
    this.#warnings.set(entry, warning);
    if (warning !== '') {
      this.#deps.log.event('probe-note', { ...namesOf(entry), detail: warning });
    }
  }
}
