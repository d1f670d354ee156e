/** Looks at a daemon, as its API answers them, with what a test is about. */
import {
  BEGUN,
  type ListedBackend,
  type ListedListener,
  type ListedPool,
  type ListedSession,
  type Look,
  looked,
  type State,
} from '../../../src/cli/top/state.js';

const NOW = '2026-11-29T12:00:00.000Z';
const SINCE = '2026-11-29T11:57:00.000Z';

export function listener(over: Partial<ListedListener> = {}): ListedListener {
  return {
    name: 'web',
    protocol: 'tcp',
    addresses: ['0.0.0.0:80'],
    pool: 'app',
    pools: ['app'],
    state: 'open',
    reason: '',
    since: SINCE,
    sessions: 12,
    max_sessions: 9000,
    refused: [],
    dropped: [],
    ...over,
  };
}

export function pool(over: Partial<ListedPool> = {}): ListedPool {
  return {
    name: 'app',
    policy: 'least-connections',
    probe: 'tcp',
    state: 'up',
    reason: '',
    since: SINCE,
    sessions: 12,
    backends: 2,
    eligible: 2,
    queue_length: 0,
    queue_size: 0,
    evenness: { load: null, first_byte_ms: null, failures: null },
    refused: [],
    ...over,
  };
}

export function backend(over: Partial<ListedBackend> = {}): ListedBackend {
  return {
    pool: 'app',
    name: 'a',
    address: '10.0.0.1:80',
    state: 'up',
    eligible: true,
    cause: null,
    reason: '',
    since: SINCE,
    active: 6,
    max_connections: 0,
    weight: 1,
    weight_effective: 1,
    backup: false,
    last_probe: { result: 'passed', at: NOW, latency_ms: 1.25, detail: '' },
    ...over,
  };
}

export function session(over: Partial<ListedSession> = {}): ListedSession {
  return {
    id: 'k3f9',
    listener: 'web',
    pool: 'app',
    backend: 'a',
    client: '192.0.2.7:51234',
    state: 'relaying',
    age_ms: 65_000,
    idle_ms: 2_000,
    bytes_in: 100,
    bytes_out: 4_100,
    ...over,
  };
}

export function look(over: Partial<Look> = {}, status: Partial<Look['status']> = {}): Look {
  const backends = over.backends ?? [backend(), backend({ name: 'b', address: '10.0.0.2:80' })];
  return {
    atMs: 1_000,
    status: {
      phase: 'serving',
      version: '0.1.0',
      engine: 'uring',
      engine_reason: '',
      workers: 2,
      pid: 77,
      now: NOW,
      started: '2026-11-29T09:00:00.000Z',
      config_hash: '89c29c9212a1',
      configured: SINCE,
      sessions_active: 12,
      sessions_total: 1_000,
      refused_total: 5,
      bytes_in_total: 0,
      bytes_out_total: 0,
      listeners: 1,
      pools: 1,
      backends: backends.length,
      backends_eligible: backends.filter(({ eligible }) => eligible).length,
      overrides: 0,
      trouble: [],
      notes: [],
      ...status,
    },
    listeners: [listener()],
    pools: [pool()],
    backends,
    sessions: null,
    missing: [],
    ...over,
  };
}

export function seen(...looks: readonly Look[]): State {
  return looks.reduce(looked, BEGUN);
}
