/** Specs and entries for tests of control, complete but for what a test is about. */

import { Inventory } from '../../src/control/inventory.js';
import { Tallies } from '../../src/control/tallies.js';
import type { Endpoint } from '../../src/core/endpoint.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { createSeriesMemory, SeriesReader } from '../../src/core/series.js';
import type { BackendSpec, ListenerSpec, PoolSpec, Spec } from '../../src/core/spec.js';
import type { EventName } from '../../src/observe/events.js';
import type { Log } from '../../src/observe/log.js';
import type { ControlCounters } from '../../src/observe/metrics.js';
import { type Change, changed, listenerSettings, poolSettings } from '../support/changed.js';

export function backendSpec(name: string, change: Partial<BackendSpec> = {}): BackendSpec {
  const host = `10.0.0.${name.replace(/\D/g, '') || 1}`;
  return {
    name,
    address: ipEndpoint(4, host, 5432),
    admin: 'ready',
    weight: 1,
    maxConnections: 0,
    backup: false,
    ...change,
  };
}

export function poolSpec(name: string, change: Change<PoolSpec> = {}): PoolSpec {
  const pool: PoolSpec = {
    name,
    settings: poolSettings({}),
    whileHeld: 'keep',
    drainTimeoutMs: 10_000,
    drainSpreadMs: 2000,
    slowStartMs: 0,
    onDown: 'keep',
    onDownSpreadMs: 0,
    backups: 'all',
    rebalancePercent: 0,
    health: {
      probe: { kind: 'none' },
      port: null,
      intervalMs: 2000,
      fastIntervalMs: 500,
      downIntervalMs: 5000,
      timeoutMs: 1000,
      fall: 3,
      rise: 2,
      jitter: 0,
    },
    backends: [backendSpec('b1'), backendSpec('b2')],
    discovery: [],
  };
  return changed(pool, change);
}

export function listenerSpec(
  name: string,
  pool: string,
  change: Change<ListenerSpec> = {},
): ListenerSpec {
  const listener: ListenerSpec = {
    name,
    protocol: 'tcp',
    bind: [ipEndpoint(4, '127.0.0.1', 0)],
    missingAddress: 'refuse',
    activation: null,
    pool,
    routes: [],
    maxSessions: 0,
    access: null,
    settings: listenerSettings(),
  };
  return changed(listener, change);
}

export function spec(pools: readonly PoolSpec[], listeners: readonly ListenerSpec[] = []): Spec {
  return {
    daemon: {
      engine: 'node',
      workers: 1,
      shutdownTimeoutMs: 1000,
      leaveDelayMs: 0,
      stateDirectory: null,
      keepSockets: true,
      reloadUpgrades: false,
      probesPerSecond: 0,
    },
    log: { level: 'info', format: 'json', access: 'errors' },
    admin: {
      http: null,
      socket: null,
      socketGroup: '',
      socketUsers: [],
      hosts: [],
      tokenFile: null,
      allowPublic: false,
      backendHistograms: false,
    },
    listeners,
    pools,
    denied: [],
  };
}

/** Rows that were handed out anew. */
export interface Resets {
  readonly backends: number[];
  readonly listeners: number[];
}

export function inventory(resets: Resets = { backends: [], listeners: [] }): Inventory {
  const reset = {
    backend: (id: number) => void resets.backends.push(id),
    listener: (id: number) => void resets.listeners.push(id),
  };
  return new Inventory(reset, tallies());
}

export function tallies(): Tallies {
  return new Tallies(new SeriesReader(createSeriesMemory(1)), { nowMs: () => 0 });
}

export const resolved = ({ address }: BackendSpec): Endpoint | null =>
  address.kind === 'name' ? null : address;

/** A log that keeps the names of its events. */
export class Events implements Log {
  readonly names: EventName[] = [];

  event(name: EventName): void {
    this.names.push(name);
  }
  access(): void {}
  configure(): void {}
  async flush(): Promise<void> {}
}

export const NO_COUNTERS: ControlCounters = {
  transition: () => {},
  ejection: () => {},
  dryEjection: () => {},
  probe: () => {},
  reload: () => {},
  internalErrors: () => {},
  logSuppressed: () => {},
  forget: () => {},
  workerRestart: () => {},
};
