/**
 * The health checker: attempts probes on the targets when they are due, and reports verdicts. It
 * holds what changes (states, timers, attempts in flight); what follows from a result is decided in
 * tracker.ts, when the next attempt comes in schedule.ts.
 */
import { assert } from '../core/assert.js';
import type { Clock, Timers } from '../core/clock.js';
import { contain } from '../core/contain.js';
import { CutOff } from '../core/cut_off.js';
import type { HealthSpec, ProbeSpec } from '../core/health_spec.js';
import { toOwnMs } from '../core/machine_time.js';
import type { Random } from '../core/random.js';
import { Agenda } from './agenda.js';
import { type Checked, knownOf, NOTHING, QUEUED, WAITING } from './checked.js';
import { type KnownHealth, ProbeNames, remainingMs } from './known.js';
import type { Probe, ProbeResult } from './probe.js';
import { type ProbeChange, probeChange, sameEndpoint } from './probe_change.js';
import { firstDelayMs, intervalMs, nextDelayMs } from './schedule.js';
import { Starts } from './starts.js';
import { type HealthEvents, type HealthTarget, probeTarget, type TargetHealth } from './target.js';
import { isSettled, type TrackState } from './tracker.js';
import { Watched } from './watched.js';

/** Attempts in flight at once, each with one socket: the descriptors that probes may need. */
export const MAX_PROBES_IN_FLIGHT = 256;

export interface CheckerDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly createProbe: (spec: ProbeSpec) => Probe;
  /** Gets what failed in one attempt, or in one report. */
  readonly defect: (error: unknown) => void;
  /** Attempts at the same time; MAX_PROBES_IN_FLIGHT at most, and by default. */
  readonly inFlight?: number;
}

/** By the key of a target; null: nothing is known of it. */
export type KnownBefore = (key: string) => KnownHealth | null;

const nothing: KnownBefore = () => null;

export class HealthChecker {
  readonly #deps: CheckerDeps;
  readonly #events: HealthEvents;
  readonly #starts: Starts;
  /** When attempts begin, and when those in flight are cut off: few, and most are in time. */
  readonly #agenda: Agenda;
  readonly #limits: Agenda;
  readonly #entries = new Map<string, Checked>();
  readonly #probeNames = new ProbeNames();
  /** The definitions that were compared last. */
  #compared: {
    readonly before: HealthSpec;
    readonly after: HealthSpec;
    readonly difference: ProbeChange;
  } | null = null;
  #stopped = false;

  constructor(deps: CheckerDeps, events: HealthEvents) {
    this.#deps = deps;
    this.#events = eachAlone(events, deps.defect);
    const inFlight = Math.min(MAX_PROBES_IN_FLIGHT, deps.inFlight ?? MAX_PROBES_IN_FLIGHT);
    this.#starts = new Starts({ ...deps, inFlight });
    this.#agenda = new Agenda(deps.clock, deps.timers);
    this.#limits = new Agenda(deps.clock, deps.timers);
  }

  /**
   * Watches exactly `targets`, whose keys differ. A target that stays as it was keeps its state and
   * its schedule; one whose health definition changed keeps the state and is scheduled anew; one
   * with another probe is attempted anew at once; one at another address is another target, and
   * unproven. Targets without a probe are reported up from inside the call. Of one that is new
   * another checker may have `known` something, and this one goes on from there.
   */
  update(targets: readonly HealthTarget[], known: KnownBefore = nothing): void {
    assert(!this.#stopped, 'a stopped checker watches nothing');
    const wanted = new Map(targets.map((target) => [target.key, target]));
    assert(wanted.size === targets.length, 'the keys of health targets differ');
    for (const [key, entry] of this.#entries) {
      const target = wanted.get(key);
      const stays = target !== undefined && sameEndpoint(entry.watched.target, target);
      if (!stays) this.#forget(key, entry);
    }
    for (const target of targets) {
      const entry = this.#entries.get(target.key);
      if (entry === undefined) this.#add(target, known(target.key));
      else this.#change(entry, target);
    }
  }

  /** Attempts that start per second, at most, from now on; 0: as many as are due. */
  limit(perSecond: number): void {
    this.#starts.limit(perSecond);
  }

  /** Attempts per second that the intervals of all targets ask for. */
  wantedPerSecond(): number {
    let sum = 0;
    for (const { activity, watched } of this.#entries.values()) {
      if (activity.kind === 'none') continue;
      sum += 1000 / intervalMs(watched.state, watched.target.health);
    }
    return sum;
  }

  /** The health of every target, in the order in which they were added. */
  snapshot(): TargetHealth[] {
    return [...this.#entries.values()].map((entry) => entry.watched.view());
  }

  /** Of one target; null: it is not watched. */
  healthOf(key: string): TargetHealth | null {
    return this.#entries.get(key)?.watched.view() ?? null;
  }

  /** No attempt begins any more; those in flight go on. */
  pause(): void {
    this.#starts.pause();
  }

  resume(): void {
    this.#starts.resume();
  }

  /** What another checker goes on from; null: it is not watched. */
  knownOf(key: string): KnownHealth | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    return knownOf(entry, this.#probeNames.nameOf(entry.watched.target), this.#deps);
  }

  /** Ends everything; resolves when the last attempt in flight has closed its socket. */
  stop(): Promise<void> {
    this.#stopped = true;
    for (const [key, entry] of this.#entries) this.#forget(key, entry);
    return this.#starts.idle();
  }

  #add(target: HealthTarget, known: KnownHealth | null): void {
    const { clock, createProbe } = this.#deps;
    const watched = new Watched(target, clock.wallMs());
    if (known !== null) watched.resume(known.memory);
    const probe = createProbe(target.health.probe);
    const entry: Checked = {
      watched,
      probe,
      alarm: this.#agenda.alarm(() => this.#due(entry)),
      limit: this.#limits.alarm(() => this.#cutOff(entry)),
      begin: () => this.#attempt(entry),
      activity: NOTHING,
      watching: 'on',
      lastStartMs: null,
    };
    this.#entries.set(target.key, entry);
    if (known === null) return this.#start(entry);
    const leftMs = remainingMs(known, target, this.#probeNames.nameOf(target), clock);
    if (leftMs === null) return this.#start(entry);
    entry.lastStartMs = known.startedMs === null ? null : toOwnMs(clock, known.startedMs);
    this.#wait(entry, leftMs);
  }

  #change(entry: Checked, target: HealthTarget): void {
    const before = entry.watched.target;
    entry.watched.target = target;
    const difference = this.#compare(before, target);
    if (difference === 'probe') {
      this.#cease(entry);
      entry.probe = this.#deps.createProbe(target.health.probe);
      this.#start(entry);
    } else if (difference === 'schedule') {
      if (entry.activity.kind === 'waiting') this.#schedule(entry, entry.watched.state);
    }
  }

  /** Backends of one pool have one definition: it is looked at once. */
  #compare(before: HealthTarget, target: HealthTarget): ProbeChange {
    const isAlike = before.prelude === target.prelude && before.source === target.source;
    const known = this.#compared;
    if (known?.before === before.health && known.after === target.health) {
      return isAlike ? known.difference : probeChange(before, target);
    }
    const { prelude, source = null } = target;
    const difference = probeChange({ ...before, prelude, source }, target);
    this.#compared = { before: before.health, after: target.health, difference };
    return isAlike ? difference : probeChange(before, target);
  }

  /** The first attempt with a definition: at once, but for a little spread. */
  #start(entry: Checked): void {
    entry.lastStartMs = null;
    if (entry.watched.target.health.probe.kind === 'none') {
      entry.watched.unprobed(this.#deps.clock.wallMs(), this.#events);
    } else {
      this.#wait(entry, firstDelayMs(this.#deps.random));
    }
  }

  /** The attempt after the last one, which had found the target in the state `before`. */
  #schedule(entry: Checked, before: TrackState): void {
    if (entry.lastStartMs === null) return;
    this.#cease(entry);
    const { clock, random } = this.#deps;
    const { state, target } = entry.watched;
    const elapsedMs = clock.nowMs() - entry.lastStartMs;
    this.#wait(entry, nextDelayMs(before, state, target.health, elapsedMs, random));
  }

  #wait(entry: Checked, delayMs: number): void {
    entry.activity = WAITING;
    entry.alarm.set(delayMs);
  }

  #due(entry: Checked): void {
    entry.activity = QUEUED;
    const isSure = isSettled(entry.watched.state);
    this.#starts.acquire(entry.begin, isSure ? 'settled' : 'between-verdicts');
  }

  #attempt(entry: Checked): void {
    const { clock } = this.#deps;
    const { target } = entry.watched;
    const cutOff = new CutOff();
    const activity = { kind: 'attempting', cutOff, startedMs: clock.nowMs() } as const;
    const stillMs = clock.stillMs?.() ?? 0;
    entry.activity = activity;
    entry.limit.set(target.health.timeoutMs);
    void this.#probe(entry.probe, target, cutOff).then((result) => {
      if (entry.activity === activity) entry.limit.cancel();
      const disturbed = !result.ok && stillMs !== (clock.stillMs?.() ?? 0);
      if (entry.activity !== activity) {
        // The result is not waited for any more.
      } else if (disturbed) {
        // The backend may have waited for us in vain, which is not its failure.
        this.#wait(entry, firstDelayMs(this.#deps.random));
      } else {
        this.#conclude(entry, activity.startedMs, result);
      }
      this.#starts.release();
    });
  }

  #cutOff({ activity }: Checked): void {
    if (activity.kind === 'attempting') activity.cutOff.abort();
  }

  /** A probe does not throw; if it does, only this attempt has failed. */
  async #probe(probe: Probe, target: HealthTarget, signal: CutOff): Promise<ProbeResult> {
    try {
      return await probe.attempt(probeTarget(target), signal);
    } catch (error) {
      this.#deps.defect(error);
      const reason = error instanceof Error ? error.message : String(error);
      const detail = `the probe broke, which is a defect of sluice: ${reason}`;
      return { ok: false, failure: 'internal-error', detail };
    }
  }

  #conclude(entry: Checked, startedMs: number, result: ProbeResult): void {
    const { clock } = this.#deps;
    const before = entry.watched.state;
    entry.activity = NOTHING;
    entry.lastStartMs = startedMs;
    const durationMs = clock.nowMs() - startedMs;
    entry.watched.take({ result, durationMs, atMs: clock.wallMs() }, this.#events);
    // The report may have led to an update, which then has already said what comes next.
    const stays = entry.watching === 'on' && entry.lastStartMs === startedMs;
    if (stays) this.#schedule(entry, before);
  }

  #forget(key: string, entry: Checked): void {
    this.#entries.delete(key);
    entry.watching = 'over';
    this.#cease(entry);
  }

  /** Ends what is under way; an attempt in flight keeps its slot until it has closed its socket. */
  #cease(entry: Checked): void {
    const { activity } = entry;
    entry.activity = NOTHING;
    if (activity.kind === 'waiting') entry.alarm.cancel();
    if (activity.kind === 'queued') this.#starts.withdraw(entry.begin);
    if (activity.kind === 'attempting') {
      entry.limit.cancel();
      activity.cutOff.abort();
    }
  }
}

/** One report that breaks stops neither the others nor the schedule. */
function eachAlone(events: HealthEvents, defect: (error: unknown) => void): HealthEvents {
  return {
    onVerdict: (event) => contain(() => events.onVerdict(event), defect),
    onAttempt: (event) => contain(() => events.onAttempt(event), defect),
    onShare: (event) => contain(() => events.onShare(event), defect),
  };
}
