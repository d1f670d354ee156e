/**
 * A discrete-event simulation of one policy over a pool: sessions arrive, are placed as the pool
 * would place them (the ineligible left out, refused dials tried elsewhere), wait, are served and
 * go. Policies only: queues, probes and threads of the daemon are not modelled.
 */
import { present, unreachable } from '../../core/assert.js';
import { EventQueue } from '../../core/event_queue.js';
import type { Random } from '../../core/random.js';
import { CandidateSet } from '../candidate_set.js';
import type { Policy } from '../policy.js';
import { BackendModel } from './backend_model.js';
import { FIRST_BYTE_MS, type Scenario, type Trouble } from './scenario.js';
import { SimulatedTally } from './tally.js';

type Event =
  | { readonly kind: 'answered'; readonly backend: number; readonly latencyMs: number }
  | {
      readonly kind: 'finished';
      readonly backend: number;
      readonly session: number;
      readonly life: number;
    }
  | { readonly kind: 'trouble-begins' | 'trouble-ends'; readonly trouble: Trouble }
  | { readonly kind: 'noticed'; readonly backend: number; readonly seen: 'up' | 'down' };

/** Runs `policy` (made for the scenario's backends, with no history) through all of `scenario`. */
export function runSimulation(scenario: Scenario, policy: Policy, random: Random): SimulatedTally {
  return new Simulation(scenario, policy, random).run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #policy: Policy;
  readonly #random: Random;
  readonly #backends: readonly BackendModel[];
  readonly #events = new EventQueue<Event>();
  readonly #tally: SimulatedTally;
  readonly #candidates: CandidateSet;
  readonly #active: Int32Array;
  readonly #weight: Float64Array;
  #nowMs = 0;

  constructor(scenario: Scenario, policy: Policy, random: Random) {
    const { backends } = scenario;
    this.#scenario = scenario;
    this.#policy = policy;
    this.#random = random;
    this.#backends = backends.map((backend) => new BackendModel(backend, scenario.slots));
    this.#tally = new SimulatedTally(scenario.arrivals.count);
    this.#active = new Int32Array(backends.length);
    this.#weight = Float64Array.from(backends, (backend) => backend.weight);
    this.#candidates = this.#makeCandidates();
    for (const trouble of scenario.troubles) {
      this.#events.put(trouble.fromMs, { kind: 'trouble-begins', trouble });
      this.#events.put(trouble.toMs, { kind: 'trouble-ends', trouble });
    }
  }

  run(): SimulatedTally {
    const { atMs, count } = this.#scenario.arrivals;
    for (let session = 0; session < count; session++) {
      this.#passUntil(atMs[session] ?? 0);
      this.#arrive(session);
    }
    this.#passUntil(Number.POSITIVE_INFINITY);
    return this.#tally;
  }

  /** Lets everything happen that is due at `untilMs` at the latest. */
  #passUntil(untilMs: number): void {
    while (this.#events.nextMs <= untilMs) {
      this.#nowMs = this.#events.nextMs;
      const event = this.#events.take();
      if (event === undefined) break;
      this.#happen(event);
    }
    this.#nowMs = untilMs;
  }

  #happen(event: Event): void {
    switch (event.kind) {
      case 'answered':
        this.#at(event.backend).observeLatency(event.latencyMs, this.#nowMs);
        this.#candidates.measured(event.backend);
        return;
      case 'finished':
        if (event.life === this.#at(event.backend).life) this.#finish(event.backend, event.session);
        return;
      case 'trouble-begins':
        this.#begin(event.trouble);
        return;
      case 'trouble-ends':
        this.#end(event.trouble);
        return;
      case 'noticed':
        this.#at(event.backend).seen = event.seen;
        this.#sort(event.backend);
        return;
      default:
        unreachable(event);
    }
  }

  #arrive(session: number): void {
    const isMeasured = this.#isMeasured(session);
    const tried: number[] = [];
    for (let attempt = 0; attempt <= this.#scenario.retries; attempt++) {
      for (const backend of tried) this.#candidates.remove(backend);
      if (this.#candidates.count === 0) break;
      const chosen = this.#choose(session);
      const backend = this.#at(chosen);
      for (const again of tried) this.#sort(again);
      if (backend.isAlive) {
        if (backend.admit(session)) this.#serve(chosen, session);
        this.#counted(chosen);
        if (isMeasured) this.#tally.placed(this.#active, this.#weight);
        return;
      }
      backend.observeOutcome('failed', this.#nowMs);
      this.#candidates.measured(chosen);
      tried.push(chosen);
      if (isMeasured) this.#tally.failedDials++;
    }
    for (const again of tried) this.#sort(again);
    if (isMeasured) this.#tally.refused++;
  }

  #makeCandidates(): CandidateSet {
    const simulation = this;
    const candidates = new CandidateSet(this.#backends.length, {
      get nowMs() {
        return simulation.#nowMs;
      },
      activeOf: (member) => this.#active[member] ?? 0,
      latencyMsOf: (member) => this.#at(member).latencyMs(this.#nowMs),
      failureRateOf: (member) => this.#at(member).failureRate(this.#nowMs),
    });
    for (const [index, { weight }] of this.#scenario.backends.entries()) {
      if (weight > 0) candidates.put(index, weight);
    }
    candidates.chooseBy(this.#policy);
    return candidates;
  }

  /** Makes a backend a candidate, or none, as health and its cap say. */
  #sort(index: number): void {
    const { spec, seen, active } = this.#at(index);
    const isFull = spec.maxConnections > 0 && active >= spec.maxConnections;
    if (seen === 'down' || spec.weight === 0 || isFull) this.#candidates.remove(index);
    else this.#candidates.put(index, spec.weight);
  }

  #counted(index: number): void {
    const { spec, active } = this.#at(index);
    this.#active[index] = active;
    if (spec.maxConnections > 0) this.#sort(index);
    this.#candidates.counted(index);
  }

  #choose(session: number): number {
    const { client, clients } = this.#scenario.arrivals;
    const clientKey = present(clients[client[session] ?? 0], 'each session has a client');
    return this.#candidates.choose(clientKey, this.#random);
  }

  #serve(index: number, session: number): void {
    const { arrivals } = this.#scenario;
    const backend = this.#at(index);
    const serviceMs = backend.serviceMs(arrivals.workMs[session] ?? 0);
    const { life } = backend;
    this.#events.put(this.#nowMs + serviceMs, { kind: 'finished', backend: index, session, life });
    if (!this.#policy.needs.latency) return;
    const answerMs = Math.min(backend.serviceMs(FIRST_BYTE_MS), serviceMs);
    const latencyMs = this.#nowMs - (arrivals.atMs[session] ?? 0) + answerMs;
    this.#events.put(this.#nowMs + answerMs, { kind: 'answered', backend: index, latencyMs });
  }

  #finish(index: number, session: number): void {
    const backend = this.#at(index);
    const next = backend.release();
    this.#counted(index);
    backend.observeOutcome('served', this.#nowMs);
    this.#candidates.measured(index);
    if (this.#isMeasured(session)) {
      this.#tally.finished(this.#nowMs - (this.#scenario.arrivals.atMs[session] ?? 0));
    }
    if (next !== null) this.#serve(index, next);
  }

  #begin(trouble: Trouble): void {
    const backend = this.#at(trouble.backend);
    if (trouble.kind === 'slow') {
      backend.slowness = trouble.factor;
      return;
    }
    this.#tally.lost += backend.die();
    this.#counted(trouble.backend);
    this.#notice(trouble.backend, 'down');
  }

  #end(trouble: Trouble): void {
    const backend = this.#at(trouble.backend);
    if (trouble.kind === 'slow') {
      backend.slowness = 1;
      return;
    }
    backend.isAlive = true;
    this.#notice(trouble.backend, 'up');
  }

  #notice(backend: number, seen: 'up' | 'down'): void {
    this.#events.put(this.#nowMs + this.#scenario.detectMs, { kind: 'noticed', backend, seen });
  }

  #isMeasured(session: number): boolean {
    return (this.#scenario.arrivals.atMs[session] ?? 0) >= this.#scenario.warmupMs;
  }

  #at(index: number): BackendModel {
    return present(this.#backends[index], 'a scenario names its own backends');
  }
}
