/**
 * What the admin endpoints show of the daemon. Everything is read from what control keeps at hand:
 * the inventory, the ledger and the last probes. Nothing is probed or opened for a view.
 */
import type {
  AdminViews,
  CheckView,
  CountView,
  GlanceView,
  HealthView,
  ListenerView,
  PoolGlance,
  PoolSummary,
  PoolView,
  StatusView,
} from '../admin/views.js';
import type { Clock } from '../core/clock.js';
import { formatAddress } from '../core/endpoint.js';
import { poolsOf } from '../core/routes.js';
import type { SourceSnapshot } from '../core/source_snapshot.js';
import type { EngineName } from '../core/spec.js';
import type { Metrics } from '../observe/metrics.js';
import type { BackendDescriber, NamedBackend } from './backend_views.js';
import type { Daemon } from './daemon.js';
import { deviationsIn } from './desired/override.js';
import { sourceViews } from './discovery_views.js';
import type { ListenerEntry } from './inventory.js';
import type { PoolNow } from './pool_now.js';
import { poolReason } from './pool_words.js';
import { checkNow, readinessOf } from './readiness.js';
import { Refusals } from './refusals.js';
import type { SharedState } from './shared_state.js';
import { overallTraffic, probeRate } from './whole_views.js';

export interface DaemonViewsDeps {
  readonly daemon: Daemon;
  readonly metrics: Metrics;
  readonly shared: SharedState;
  readonly clock: Clock;
  readonly describe: BackendDescriber;
  readonly version: string;
  readonly engine: EngineName;
  /** Why this engine. */
  readonly engineReason: string;
  readonly config: () => { readonly hash: string; readonly readWallMs: number };
}

export interface PoolBackends {
  readonly pool: string;
  readonly backends: readonly NamedBackend[];
}

/** Of a pool whose backends come from elsewhere too. */
export interface PoolSources {
  readonly pool: string;
  readonly sources: readonly SourceSnapshot[];
}

export class DaemonViews implements AdminViews {
  readonly metricsType: string;
  readonly #deps: DaemonViewsDeps;
  readonly #startedWallMs: number;

  constructor(deps: DaemonViewsDeps) {
    this.#deps = deps;
    this.metricsType = deps.metrics.contentType;
    this.#startedWallMs = deps.clock.wallMs();
  }

  live(): CheckView {
    return { problems: this.#deps.daemon.fleet.problems() };
  }

  ready(listener: string | null): CheckView {
    return readinessOf(this.#deps.daemon, listener);
  }

  metrics(): Promise<string> {
    return this.#deps.metrics.text();
  }

  health(): HealthView {
    const { daemon } = this.#deps;
    const refusals = this.#refusals();
    return {
      ...this.#whole(refusals),
      probes: probeRate(daemon),
      overrides: deviationsIn(daemon.desires.ofDaemon),
      listeners: this.listeners(refusals),
      pools: this.pools(refusals),
    };
  }

  /** Of the backends only `mostNotes` of those that need words are looked at in full. */
  status(mostNotes: number): StatusView {
    const { inventory, watch, handover } = this.#deps.daemon;
    const { describe } = this.#deps;
    const all = [...inventory.pools.values()].map((pool) => watch.pool(pool));
    const notes = [...handover.elsewhere.remarks];
    let noted = notes.length;
    for (const now of all) {
      const remarks = describe.remarks(now, mostNotes - notes.length);
      notes.push(...remarks.told);
      noted += remarks.count;
    }
    // What is added stands in front: V8 11 makes a hidden class for each copy that gets more.
    return {
      check: this.#check(all),
      listeners: inventory.listeners.size,
      pools: all.length,
      backends: sum(all, (now) => describe.count(now)),
      eligible: sum(all, ({ standing }) => standing.eligible),
      notes,
      noted,
      ...this.#whole(this.#refusals()),
    };
  }

  #whole(refusals: Refusals): Omit<HealthView, 'listeners' | 'pools' | 'probes' | 'overrides'> {
    const { daemon, clock, version, engine, engineReason, config } = this.#deps;
    const { hash, readWallMs } = config();
    return {
      phase: daemon.phase,
      version,
      engine,
      engineReason,
      workers: daemon.fleet.size,
      pid: process.pid,
      nowWallMs: clock.wallMs(),
      startedWallMs: this.#startedWallMs,
      configHash: hash,
      configuredWallMs: readWallMs,
      traffic: overallTraffic(refusals),
    };
  }

  listeners(refusals = this.#refusals()): ListenerView[] {
    const { listeners } = this.#deps.daemon.inventory;
    return [...listeners.values()].map((entry) => this.#listener(entry, refusals));
  }

  pools(refusals = this.#refusals()): PoolView[] {
    const { daemon, clock, describe } = this.#deps;
    const sources = sourceViews(daemon.discoveries, clock);
    return [...daemon.inventory.pools.values()].map((entry) => {
      const now = daemon.watch.pool(entry);
      const discovery = sources.get(entry.key) ?? [];
      const refused = refusals.ofPool(entry.key);
      return { ...this.#pool(now, refused), backends: describe.backends(now), discovery };
    });
  }

  /** Without reading each backend in full. */
  poolSummaries(): PoolSummary[] {
    const { daemon } = this.#deps;
    const refusals = this.#refusals();
    return [...daemon.inventory.pools.values()].map((entry) =>
      this.#summary(daemon.watch.pool(entry), refusals),
    );
  }

  glance(): GlanceView {
    const { daemon, describe } = this.#deps;
    const refusals = this.#refusals();
    const all = [...daemon.inventory.pools.values()].map((pool) => daemon.watch.pool(pool));
    const pools = all.map((now): PoolGlance => {
      let made: PoolSummary | null = null;
      const summary = () => {
        made ??= this.#summary(now, refusals);
        return made;
      };
      return { name: now.pool.key, state: now.state, backends: describe.glances(now), summary };
    });
    const check = this.#check(all);
    return { check, listeners: this.listeners(refusals), pools, ...this.#whole(refusals) };
  }

  #check(all: readonly PoolNow[]): CheckView {
    return checkNow(this.#deps.daemon, this.#deps.shared.ledger, all);
  }

  #summary(now: PoolNow, refusals: Refusals): PoolSummary {
    const { describe, shared } = this.#deps;
    return {
      sessions: sum(now.members, ({ id }) => shared.ledger.active(id)),
      backends: describe.count(now),
      eligible: now.standing.eligible,
      ...this.#pool(now, refusals.ofPool(now.pool.key)),
    };
  }

  /** Of one pool, or of all (null): no more is looked at than is asked for. */
  backends(pool: string | null): PoolBackends[] {
    const { daemon, describe } = this.#deps;
    const { pools } = daemon.inventory;
    const asked = pool === null ? [...pools.values()] : [pools.get(pool)];
    return asked.flatMap((entry) => {
      if (entry === undefined) return [];
      return [{ pool: entry.key, backends: describe.each(daemon.watch.pool(entry)) }];
    });
  }

  sources(): PoolSources[] {
    const { daemon, clock } = this.#deps;
    const known = sourceViews(daemon.discoveries, clock);
    return [...daemon.inventory.pools.keys()].flatMap((pool) => {
      const sources = known.get(pool);
      return sources === undefined ? [] : [{ pool, sources }];
    });
  }

  #refusals(): Refusals {
    const { daemon, shared } = this.#deps;
    return new Refusals(shared.series, daemon.inventory.tallies);
  }

  #listener(entry: ListenerEntry, refusals: Refusals): ListenerView {
    const { daemon, shared } = this.#deps;
    const { spec } = entry;
    const { state, reason, limit, sinceWallMs } = daemon.watch.listener(entry);
    return {
      name: spec.name,
      protocol: spec.protocol,
      addresses: daemon.sockets.locals(entry.key).map(formatAddress),
      pool: spec.pool ?? '',
      pools: poolsOf(spec),
      state,
      reason,
      sinceWallMs,
      sessions: shared.ledger.listenerActive(entry.id),
      maxSessions: limit,
      refused: refusals.ofListener(entry.key),
      dropped: refusals.dropsOf(entry.key),
    };
  }

  #pool(now: PoolNow, refused: readonly CountView[]): Omit<PoolView, 'backends' | 'discovery'> {
    const { pool, state, sinceWallMs } = now;
    const { settings, health } = pool.spec;
    const { policy, queueSize } = settings;
    const queueLength = this.#deps.shared.ledger.queued(pool.id);
    const { desires } = this.#deps.daemon;
    const overrides = deviationsIn(desires.holdOf(pool.key));
    return {
      name: pool.key,
      policy: policy.name,
      probe: health.probe.kind,
      state,
      reason: poolReason(now, queueLength, overrides),
      sinceWallMs,
      queueLength,
      queueSize,
      refused,
      evenness: this.#deps.daemon.evenness.of(now),
      overrides,
    };
  }
}

function sum<T>(all: readonly T[], figure: (one: T) => number): number {
  return all.reduce((total, one) => total + figure(one), 0);
}
