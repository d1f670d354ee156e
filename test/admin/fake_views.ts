/** A control plane for the endpoints: two listeners, one pool with a backend in each trouble. */
import type {
  AdminViews,
  BackendView,
  CheckView,
  GlanceView,
  HealthView,
} from '../../src/admin/views.js';
import type { BackendTraffic } from '../../src/control/backend_traffic.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');

export const HEALTH: HealthView = {
  phase: 'serving',
  version: '1.2.3',
  engine: 'uring',
  engineReason: 'the first that works here',
  workers: 2,
  pid: 4711,
  nowWallMs: NOW,
  startedWallMs: NOW - 3 * 3_600_000,
  configHash: '3fa9c1d2',
  configuredWallMs: NOW - 12 * 60_000,
  traffic: {
    sessionsActive: 12,
    sessionsTotal: 3456,
    refusedTotal: 7,
    bytesInTotal: 1e6,
    bytesOutTotal: 2e7,
  },
  overrides: [],
  probes: { wantedPerSecond: 3, allowedPerSecond: 0, stretch: 1 },
  listeners: [
    {
      name: 'pg',
      protocol: 'tcp',
      addresses: ['0.0.0.0:5432', '[::]:5432'],
      pool: 'main',
      pools: ['main'],
      state: 'open',
      reason: '',
      sinceWallMs: NOW - 3 * 3_600_000,
      sessions: 12,
      maxSessions: 4096,
      refused: [
        { reason: 'all-down', count: 5 },
        { reason: 'queue-full', count: 2 },
      ],
      dropped: [],
    },
    {
      name: 'dns',
      protocol: 'udp',
      addresses: ['127.0.0.1:53'],
      pool: 'main',
      pools: ['main'],
      state: 'failed',
      reason: 'bind: address already in use (EADDRINUSE)',
      sinceWallMs: NOW - 5_000,
      sessions: 0,
      maxSessions: 1000,
      refused: [],
      dropped: [{ reason: 'flow-limit', count: 3 }],
    },
  ],
  pools: [
    {
      name: 'main',
      policy: 'p2c',
      probe: 'postgres',
      state: 'up',
      reason: '',
      sinceWallMs: NOW - 3 * 3_600_000,
      queueLength: 3,
      evenness: {
        load: { greatest: 4, median: 2, backend: 'a' },
        firstByteMs: null,
        failures: null,
      },
      queueSize: 100,
      overrides: [],
      discovery: [],
      refused: [{ reason: 'all-down', count: 5 }],
      backends: [
        backend({ name: 'a', active: 7, maxConnections: 10 }),
        backend({
          name: 'b',
          state: 'down',
          eligible: false,
          cause: 'down',
          reason: 'refused 3 times in a row',
          lastProbe: { result: 'failed', atWallMs: NOW - 2_000, latencyMs: 0.3, detail: 'refused' },
        }),
        backend({
          name: 'c',
          eligible: false,
          cause: 'backup',
          reason: 'a backup',
          weightEffective: 0.5,
        }),
        backend({
          name: 'd',
          state: 'unproven',
          eligible: false,
          cause: 'unproven',
          lastProbe: null,
          backup: true,
        }),
      ],
    },
  ],
};

function backend(some: Partial<BackendView> & { readonly name: string }): BackendView {
  return {
    address: `10.0.0.1:${some.name.charCodeAt(0)}`,
    state: 'up',
    eligible: true,
    cause: null,
    reason: '',
    sinceWallMs: NOW - 90_000,
    active: 0,
    maxConnections: 0,
    weight: 1,
    weightEffective: 1,
    backup: false,
    overrides: [],
    lastProbe: { result: 'passed', atWallMs: NOW - 1_500, latencyMs: 1.25, detail: '' },
    ...some,
  };
}

/** Views that a test may change while they are served. */
export interface FakeViews extends AdminViews {
  view: HealthView;
  liveProblems: readonly string[];
  readyProblems: readonly string[];
  exposition: () => Promise<string>;
  /** What a backend has done so far; what is left out is nothing. */
  traffic: (pool: string, backend: string) => Partial<BackendTraffic>;
}

export function fakeViews(): FakeViews {
  return {
    view: HEALTH,
    liveProblems: [],
    readyProblems: [],
    traffic: () => ({}),
    exposition: async () => '# HELP x y\n',
    live() {
      return { problems: this.liveProblems };
    },
    ready() {
      return { problems: this.readyProblems };
    },
    health() {
      return this.view;
    },
    glance() {
      const problems = [...this.liveProblems, ...this.readyProblems];
      return glanceAt(this.health(), { problems });
    },
    metrics() {
      return this.exposition();
    },
    metricsType: 'text/plain; version=0.0.4; charset=utf-8',
  };
}

function glanceAt(view: HealthView, check: CheckView): GlanceView {
  const pools = view.pools.map(({ backends, ...pool }) => ({
    ...pool,
    backends: backends.map((one) => ({ ...one, view: () => one })),
    summary: () => ({
      ...pool,
      sessions: backends.reduce((sum, { active }) => sum + active, 0),
      backends: backends.length,
      eligible: backends.filter(({ eligible }) => eligible).length,
    }),
  }));
  return { ...view, check, pools };
}
