import t from 'tap';
import { POOL } from '../../src/config/schema/pool.js';
import { OptionsError } from '../../src/library/errors.js';
import type { BalancerOptions } from '../../src/library/options.js';
import { readOptions } from '../../src/library/read_options.js';

function issuesOf(options: unknown): readonly string[] {
  try {
    readOptions(options as BalancerOptions);
    return [];
  } catch (error) {
    if (error instanceof OptionsError) return error.issues;
    throw error;
  }
}

t.test('an empty balancer has the defaults of a pool of the file', async (t) => {
  const { spec } = readOptions({});
  t.match(spec, { name: 'balancer', slowStartMs: 0, drainTimeoutMs: 300_000, backends: [] });
  t.match(spec.settings, { policy: { name: 'p2c' }, retries: 2, connectTimeoutMs: 5_000 });
  t.match(spec.health, { probe: { kind: 'tcp' }, intervalMs: 2_000, fall: 3 });
});

t.test(
  'durations are strings or milliseconds, and a backend may be an address alone',
  async (t) => {
    const { spec } = readOptions({
      name: 'users',
      backends: ['10.0.0.1:80', { address: '[::1]:80', name: 'b', weight: 2, backup: true }],
      queue: { size: 3, timeout: 250 },
      maxConnections: 5,
      slowStart: '10s',
      outlier: { baseEjection: 1_000 },
      health: { probe: 'http', path: '/health', interval: '1s', status: [200, '204-206'] },
    });
    t.match(spec, { name: 'users', slowStartMs: 10_000, health: { intervalMs: 1_000 } });
    t.match(spec.settings, {
      queueSize: 3,
      queueTimeoutMs: 250,
      outlier: { baseEjectionMs: 1_000 },
    });
    t.match(spec.backends, [
      { name: '10.0.0.1:80', maxConnections: 5 },
      { name: 'b', weight: 2, backup: true },
    ]);
  },
);

t.test('milliseconds that came out of a division are rounded', async (t) => {
  const { spec } = readOptions({ connectTimeout: 1_000 / 3, health: { interval: 99.5 } });
  t.equal(spec.settings.connectTimeoutMs, 333);
  t.equal(spec.health.intervalMs, 100);
  const [issue = ''] = issuesOf({ connectTimeout: 1.5 });
  t.match(issue, /^connectTimeout: too small .*; got "2ms"\)$/, 'and no longer taken for 1.5 s');
});

t.test('null is called null', async (t) => {
  const nulls = { health: null, outlier: null, backends: [null], retries: null, policy: null };
  const issues = issuesOf(nulls);
  t.equal(issues.length, 5);
  for (const issue of issues) t.match(issue, /; got null\)$/);
});

t.test('what is wrong is said at once, in the sentences of the file', async (t) => {
  const issues = issuesOf({
    polcy: 'p2c',
    policy: 'p2d',
    max_connections: 1,
    queueTimeout: 1,
    sendProxyProtocol: 'v2',
    backends: [{ address: '10.0.0.1' }],
    outlier: { baseEjection: '10m' },
  });
  t.match(issues.join('\n'), /^max_connections: unknown key \(expected maxConnections;/m);
  t.match(issues.join('\n'), /^polcy: unknown key \(expected policy; got "polcy"\)/m);
  t.match(issues.join('\n'), /^policy: unknown value \(expected "p2c"/m);
  t.match(issues.join('\n'), /^queueTimeout: too small \(expected a duration from "10ms"/m);
  t.match(issues.join('\n'), /^sendProxyProtocol: only a proxy can follow it/m);
  t.match(issues.join('\n'), /^backends\[0\]\.address: no port/m);
  t.match(issues.join('\n'), /^outlier\.maxEjection: shorter than baseEjection/m);
  t.equal(issues.length, 7);
});

t.test('each key of a pool is known in camelCase, but for those of a proxy', async (t) => {
  const camel = (key: string) => key.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
  const values: Readonly<Record<string, unknown>> = { name: 'x' };
  for (const key of Object.keys(POOL.fields)) {
    const issues = issuesOf({ ...values, [camel(key)]: Symbol.for('misfit') });
    t.notMatch(issues.join('\n'), 'unknown key', key);
  }
});

t.test('whatever a key is given, the answer is an OptionsError or a balancer', async (t) => {
  const round: unknown[] = [];
  round.push({ round });
  const misfits = [
    null,
    7,
    'x',
    true,
    [],
    [null],
    ['x'],
    {},
    [{}],
    () => 1,
    Number.NaN,
    10n,
    round,
  ];
  for (const key of Object.keys(POOL.fields)) {
    const camel = key.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
    for (const misfit of misfits)
      t.doesNotThrow(() => issuesOf({ name: 'x', [camel]: misfit }), key);
  }
});

t.test('what is no registry is refused with a sentence', async (t) => {
  const getInstances = () => [];
  const subscribe = () => {};
  const misfits: readonly unknown[] = [
    { getInstances },
    { getInstances, on: subscribe },
    { getInstances, on: subscribe, off: 'x' },
    { subscribe: null },
    { registry: null },
    { registry: 7 },
    { registry: {} },
    { registry: { subscribe: 'x' } },
    { registry: { subscribe }, kind: 'dns' },
    { registry: { subscribe }, path: '/x' },
    { registry: { subscribe }, service: { round: 1n } },
  ];
  for (const discovery of misfits) {
    t.match(issuesOf({ discovery }).join('\n'), /^discovery\[0\]\.\w+: /);
    t.match(issuesOf({ discovery: [{ subscribe }, discovery] }).join('\n'), /^discovery\[1\]/);
  }
});
