/** Active health of a balancer: probes, and what their verdicts do to the ledger. */
import type { Clock, Timers } from '../core/clock.js';
import type { ProbeSpec } from '../core/health_spec.js';
import type { Random } from '../core/random.js';
import { HealthChecker } from '../health/checker.js';
import type { Probe } from '../health/probe.js';
import type { TargetHealth, VerdictEvent } from '../health/target.js';
import type { Ledger } from '../pool/ledger.js';
import type { Counts } from './counts.js';
import type { Entry } from './entry.js';
import type { Tell } from './events.js';
import type { Roll } from './roll.js';

export interface ActiveHealthDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly createProbe: (spec: ProbeSpec) => Probe;
  readonly ledger: Ledger;
  readonly roll: Roll;
  readonly counts: Counts;
  readonly tell: Tell;
  readonly defect: (error: unknown) => void;
  /** The share of its weight that probes ask for has changed. */
  readonly weighed: (entry: Entry, share: number) => void;
  /** `entry` has another verdict; `recovered`: it had been down or on standby. */
  readonly changed: (entry: Entry, to: VerdictEvent['state'], how: 'recovered' | 'other') => void;
}

const NO_PRELUDE = new Uint8Array(0);
const EVENTS = { down: 'backend-down', standby: 'backend-standby' } as const;

export class ActiveHealth {
  readonly #deps: ActiveHealthDeps;
  readonly #checker: HealthChecker;
  readonly #entries = new Map<string, Entry>();
  /** What was said last of each that needs care: once is enough. */
  readonly #notes = new WeakMap<Entry, string>();

  constructor(deps: ActiveHealthDeps) {
    this.#deps = deps;
    this.#checker = new HealthChecker(deps, {
      onVerdict: (event) => this.#verdict(event),
      onShare: ({ key, share }) => {
        const entry = this.#entries.get(key);
        if (entry !== undefined) deps.weighed(entry, share);
      },
      onAttempt: ({ key, result, durationMs }) => {
        const entry = this.#entries.get(key);
        if (entry === undefined) return;
        if (result.ok) return this.#note(entry, result.warning ?? '');
        const { failure: cause, detail } = result;
        deps.counts.probeFailure(entry.spec.name, cause);
        deps.tell('probe-failed', { ...this.#namesOf(entry), cause, detail, durationMs });
      },
    });
  }

  /** Watches those that are asked for. */
  update(): void {
    this.#entries.clear();
    const { roll } = this.#deps;
    const kept = roll.kept;
    for (const entry of kept) this.#entries.set(entry.key, entry);
    const { health } = roll.pool.spec;
    this.#checker.update(
      kept.map(({ key, endpoint }) => ({ key, endpoint, health, prelude: NO_PRELUDE })),
    );
  }

  byKey(): ReadonlyMap<string, TargetHealth> {
    return new Map(this.#checker.snapshot().map((health) => [health.key, health]));
  }

  stop(): Promise<void> {
    return this.#checker.stop();
  }

  #verdict({ key, state, reason, detail }: VerdictEvent): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    const { ledger, counts, tell, changed } = this.#deps;
    const { id } = entry;
    const before = ledger.health(id);
    if (before === state) return;
    ledger.setHealth(id, state);
    const isRecovered = state === 'up' && before !== 'unproven';
    // What failed until then has had its verdict.
    if (isRecovered) ledger.ejections.forget(id);
    counts.transition(entry.spec.name, state);
    const told = { ...this.#namesOf(entry), cause: reason, detail };
    if (state === 'up') tell('backend-up', told);
    else tell(EVENTS[state], { ...told, sessions: ledger.active(id) });
    changed(entry, state, isRecovered ? 'recovered' : 'other');
  }

  #note(entry: Entry, detail: string): void {
    if (detail === (this.#notes.get(entry) ?? '')) return;
    this.#notes.set(entry, detail);
    if (detail !== '') this.#deps.tell('probe-note', { ...this.#namesOf(entry), detail });
  }

  #namesOf({ spec }: Entry): { readonly pool: string; readonly backend: string } {
    return { pool: this.#deps.roll.pool.spec.name, backend: spec.name };
  }
}
