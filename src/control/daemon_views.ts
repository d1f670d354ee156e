/**
 * What the admin endpoints show of the daemon. Everything is read from what control keeps at hand:
 * the inventory, the ledger and the last probes. Nothing is probed or opened for a view.
 */
import type { AdminViews, HealthView, ListenerView, PoolView, Verdict } from '../admin/views.js';
import type { Clock } from '../core/clock.js';
import { formatAddress } from '../core/endpoint.js';
import { REFUSALS } from '../core/outcome.js';
import { CAUSE_COLUMN, PLAIN_COLUMN } from '../core/series.js';
import type { EngineName } from '../core/spec.js';
import type { Metrics } from '../observe/metrics.js';
import type { BackendDescriber } from './backend_views.js';
import type { Daemon } from './daemon.js';
import type { ListenerEntry, PoolEntry } from './inventory.js';
import type { SharedState } from './shared_state.js';

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
  readonly sessionBudget: number;
  readonly config: () => { readonly hash: string; readonly readWallMs: number };
}

export class DaemonViews implements AdminViews {
  readonly metricsType: string;
  readonly #deps: DaemonViewsDeps;
  readonly #startedWallMs: number;
  /** By listener and pool: the state shown last and since when. */
  readonly #since = new Map<string, { readonly state: string; readonly wallMs: number }>();

  constructor(deps: DaemonViewsDeps) {
    this.#deps = deps;
    this.metricsType = deps.metrics.contentType;
    this.#startedWallMs = deps.clock.wallMs();
  }

  live(): Verdict {
    const problems = this.#deps.daemon.fleet
      .silent()
      .map((worker) => `worker ${worker} does not answer`);
    return { problems };
  }

  ready(): Verdict {
    const { daemon } = this.#deps;
    if (daemon.phase === 'stopping') return { problems: ['sluice stops'] };
    if (daemon.phase === 'starting') return { problems: ['sluice starts'] };
    const problems: string[] = [];
    for (const entry of daemon.inventory.listeners.values()) {
      if (entry.tenure === 'leaving') continue;
      const pool = daemon.inventory.pools.get(entry.spec.pool);
      if (pool === undefined || this.#eligible(pool) === 0) {
        problems.push(
          `listener ${entry.spec.name}: no backend of pool ${entry.spec.pool} is eligible`,
        );
      }
    }
    return { problems };
  }

  metrics(): Promise<string> {
    return this.#deps.metrics.text();
  }

  health(): HealthView {
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
      traffic: this.#traffic(),
      listeners: [...daemon.inventory.listeners.values()].map((entry) => this.#listener(entry)),
      pools: [...daemon.inventory.pools.values()].map((entry) => this.#pool(entry)),
    };
  }

  #listener(entry: ListenerEntry): ListenerView {
    const { daemon, shared, sessionBudget } = this.#deps;
    const { spec } = entry;
    const sessions = shared.ledger.listenerActive(entry.id);
    const maxSessions = spec.maxSessions === 0 ? sessionBudget : spec.maxSessions;
    const open = sessions >= maxSessions ? 'full' : 'open';
    const state = entry.tenure === 'leaving' ? 'closing' : open;
    return {
      name: spec.name,
      protocol: spec.protocol,
      addresses: daemon.sockets.locals(entry.key).map(formatAddress),
      pool: spec.pool,
      state,
      reason: REASONS[state],
      sinceWallMs: this.#stateSince(`listener ${entry.key}`, state),
      sessions,
      maxSessions,
    };
  }

  #pool(entry: PoolEntry): PoolView {
    const { shared, describe } = this.#deps;
    const backends = describe.backends(entry);
    const eligible = backends.filter((backend) => backend.eligible).length;
    const state = entry.tenure === 'leaving' ? 'leaving' : eligible > 0 ? 'up' : 'down';
    return {
      name: entry.key,
      policy: entry.spec.policy,
      probe: entry.spec.health.probe.kind,
      state,
      reason: state === 'down' ? 'no backend is eligible' : '',
      sinceWallMs: this.#stateSince(`pool ${entry.key}`, state),
      queueLength: shared.ledger.queued(entry.id),
      queueSize: entry.spec.queueSize,
      backends,
    };
  }

  #eligible(entry: PoolEntry): number {
    return this.#deps.describe.backends(entry).filter((backend) => backend.eligible).length;
  }

  #traffic(): HealthView['traffic'] {
    const { daemon, shared } = this.#deps;
    const rows = [...daemon.inventory.listeners.values()].map((entry) => entry.series);
    for (const backend of daemon.inventory.backends()) {
      rows.push(...daemon.inventory.seriesOf(backend).map(({ series }) => series));
    }
    const sum = (column: number): number =>
      rows.reduce((total, row) => total + shared.series.value(row, column), 0);
    return {
      sessionsActive: sum(PLAIN_COLUMN.active),
      sessionsTotal: sum(PLAIN_COLUMN.accepted),
      refusedTotal: REFUSALS.reduce((total, cause) => total + sum(CAUSE_COLUMN[cause]), 0),
      bytesInTotal: sum(PLAIN_COLUMN.bytesIn),
      bytesOutTotal: sum(PLAIN_COLUMN.bytesOut),
    };
  }

  #stateSince(key: string, state: string): number {
    const known = this.#since.get(key);
    if (known?.state === state) return known.wallMs;
    const wallMs = this.#deps.clock.wallMs();
    this.#since.set(key, { state, wallMs });
    return wallMs;
  }
}

const REASONS = {
  open: '',
  full: 'as many sessions as it may have; TCP clients wait, new UDP flows are shed',
  closing: 'no longer in the file; its sessions may finish',
} as const;
