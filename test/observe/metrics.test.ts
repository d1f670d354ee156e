/** What Prometheus reads: the catalogue's metrics, over all workers, in its text format. */
import t from 'tap';
import { present } from '../../src/core/assert.js';
import type { SeriesId } from '../../src/core/brand.js';
import {
  BUCKET_COLUMNS,
  CAUSE_COLUMN,
  DROP_COLUMN,
  PLAIN_COLUMN,
} from '../../src/core/series_layout.js';
import { METRICS } from '../../src/observe/catalogue.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { Exposition } from '../support/exposition.js';
import { fakeSource } from './fake_source.js';

function setUp() {
  const { source, writers } = fakeSource();
  const metrics = createMetrics(source, async () => {});
  const [first, second] = writers;
  return {
    metrics,
    first: present(first, 'worker 0'),
    second: present(second, 'worker 1'),
    none: 0 as SeriesId,
    a: 1 as SeriesId,
    dns: 2 as SeriesId,
    aBefore: 3 as SeriesId,
    read: async () => new Exposition(await metrics.text()),
  };
}

t.test('every metric of the catalogue is exported with its type and help', async (t) => {
  const { metrics } = setUp();
  const text = await metrics.text();
  for (const { name, type, help } of Object.values(METRICS)) {
    t.match(text, `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
  }
  t.equal(text.match(/^# TYPE /gm)?.length, Object.keys(METRICS).length, 'and nothing else is');
  t.equal(metrics.contentType, 'text/plain; version=0.0.4; charset=utf-8');
});

t.test('a counter is the sum over all workers', async (t) => {
  const { first, second, a, read } = setUp();
  const labels = { listener: 'pg', pool: 'main', backend: 'a' };
  first.add(a, PLAIN_COLUMN.bytesIn, 100);
  second.add(a, PLAIN_COLUMN.bytesIn, 20);
  second.add(a, PLAIN_COLUMN.active, 2);
  const exposition = await read();
  t.equal(exposition.sum('sluice_bytes_total', { ...labels, direction: 'in' }), 120);
  t.equal(exposition.sum('sluice_bytes_total', { ...labels, direction: 'out' }), 0);
  t.equal(exposition.sum('sluice_sessions_active', labels), 2);
});

t.test(
  'a backend whose address changed is one series until the old address has drained',
  async (t) => {
    const { first, a, aBefore, read } = setUp();
    first.add(a, PLAIN_COLUMN.bytesOut, 5);
    first.add(aBefore, PLAIN_COLUMN.bytesOut, 30);
    first.observe(a, 'session', 1);
    first.observe(aBefore, 'session', 2);
    const exposition = await read();
    const labels = { backend: 'a', direction: 'out' };
    t.same(
      exposition.select('sluice_bytes_total', labels).map((sample) => sample.value),
      [35],
    );
    t.equal(exposition.sum('sluice_session_seconds_count', { backend: 'a' }), 2);
    t.equal(exposition.sum('sluice_session_seconds_sum', { backend: 'a' }), 3);
  },
);

t.test('an outcome appears with its first count, and a refusal in both its metrics', async (t) => {
  const { first, none, read } = setUp();
  t.equal((await read()).select('sluice_sessions_total').length, 0);
  first.add(none, CAUSE_COLUMN['all-full'], 3);
  first.add(none, CAUSE_COLUMN.finished, 1);
  const exposition = await read();
  const labels = { listener: 'pg', pool: 'main', backend: '' };
  t.equal(exposition.sum('sluice_sessions_total', { ...labels, outcome: 'all-full' }), 3);
  t.equal(exposition.sum('sluice_refused_total', { ...labels, reason: 'all-full' }), 3);
  t.equal(exposition.sum('sluice_sessions_total', { ...labels, outcome: 'finished' }), 1);
  t.equal(exposition.sum('sluice_refused_total'), 3, 'an orderly end is no refusal');
});

t.test('histogram buckets are cumulative, and the last is the count', async (t) => {
  const { first, second, a, read } = setUp();
  first.observe(a, 'connect', 0.00005);
  second.observe(a, 'connect', 0.002);
  first.observe(a, 'connect', 100);
  const exposition = await read();
  const bucket = (le: string) => exposition.sum('sluice_connect_seconds_bucket', { le });
  t.equal(bucket('0.0001'), 1);
  t.equal(bucket('0.001'), 1);
  t.equal(bucket('0.0025'), 2);
  t.equal(bucket('5'), 2);
  t.equal(bucket('+Inf'), 3);
  t.equal(exposition.sum('sluice_connect_seconds_count'), 3);
  t.ok(Math.abs(exposition.sum('sluice_connect_seconds_sum') - 100.00205) < 1e-9);
  t.equal(exposition.select('sluice_queue_seconds_bucket').length, 0, 'what never happened is not');
});

t.test('histograms are per pool unless each backend is asked for', async (t) => {
  const past = new Map([[BUCKET_COLUMNS.session[0], 4]]);
  const { source, writers } = fakeSource(2, {
    backendHistograms: () => false,
    pastOfPool: (pool, column) => (pool === 'main' ? (past.get(column) ?? 0) : 0),
  });
  const metrics = createMetrics(source, async () => {});
  const [first, second] = writers;
  first?.observe(1 as SeriesId, 'session', 1);
  second?.observe(3 as SeriesId, 'session', 2);
  first?.observe(0 as SeriesId, 'session', 3);
  first?.observe(2 as SeriesId, 'session', 5);
  metrics.probe({ pool: 'main', backend: 'a' }, 0.003, null);
  metrics.probe({ pool: 'main', backend: 'b' }, 0.003, null);
  const exposition = new Exposition(await metrics.text());
  const counts = exposition.select('sluice_session_seconds_count');
  t.same(
    counts.map(({ labels, value }) => [labels, value]),
    [
      [{ pool: 'main' }, 3 + 4],
      [{ pool: 'names' }, 1],
    ],
    'with what rows had counted that are given back',
  );
  t.equal(exposition.sum('sluice_session_seconds_sum', { pool: 'main' }), 6);
  const probes = (): Promise<number> =>
    metrics.text().then((text) => new Exposition(text).sum('sluice_probe_seconds_count'));
  t.equal(await probes(), 2);
  metrics.forget({ pool: 'main', backend: 'a' });
  t.equal(await probes(), 2, 'a backend that leaves takes nothing from its pool');
  metrics.forget({ pool: 'main', backend: 'b' });
  t.equal(await probes(), 0, 'nothing is kept of a pool without backends');
});

t.test('probe histograms begin anew when a reload changes their labels', async (t) => {
  let isPerBackend = true;
  const { source } = fakeSource(1, { backendHistograms: () => isPerBackend });
  const metrics = createMetrics(source, async () => {});
  const labels = async () =>
    new Exposition(await metrics.text())
      .select('sluice_probe_seconds_count')
      .map((sample) => sample.labels);
  metrics.probe({ pool: 'main', backend: 'a' }, 0.003, null);
  t.same(await labels(), [{ pool: 'main', backend: 'a' }]);
  isPerBackend = false;
  metrics.probe({ pool: 'main', backend: 'a' }, 0.003, null);
  t.same(await labels(), [{ pool: 'main' }]);
  isPerBackend = true;
  metrics.probe({ pool: 'main', backend: 'a' }, 0.003, null);
  t.same(await labels(), [{ pool: 'main', backend: 'a' }]);
});

t.test('a page is made in stretches, and anew when rows are given back meanwhile', async (t) => {
  const rows = fakeSource().source.rows();
  const many = Array.from({ length: 3000 }, () => rows[1] ?? t.fail('a row')) as typeof rows;
  let [pauses, givenBack] = [0, 0];
  const { source } = fakeSource(1, { rows: () => many, givenBack: () => givenBack });
  let toGiveBack = 1;
  const metrics = createMetrics(source, async () => {
    pauses++;
    if (toGiveBack-- > 0) givenBack++;
  });
  const text = await metrics.text();
  const stretches = pauses / 2;
  t.ok(stretches > 12 * (3000 / 512), `${stretches} stretches`);
  t.equal(text.match(/^sluice_sessions_active\{/gm)?.length, 3000);
  t.equal(text.match(/^# TYPE /gm)?.length, Object.keys(METRICS).length);
  pauses = 0;
  toGiveBack = Number.POSITIVE_INFINITY;
  t.equal(await metrics.text(), text, 'the third time in one go');
  t.equal(pauses, 2 * stretches);
});

t.test('datagrams are counted for UDP listeners only', async (t) => {
  const { first, dns, read } = setUp();
  first.add(dns, PLAIN_COLUMN.datagramsOut, 4);
  first.add(dns, DROP_COLUMN['flow-limit'], 2);
  const exposition = await read();
  t.equal(exposition.sum('sluice_datagrams_total', { listener: 'dns', direction: 'out' }), 4);
  t.equal(exposition.select('sluice_datagrams_total', { listener: 'pg' }).length, 0);
  t.equal(exposition.sum('sluice_datagrams_dropped_total', { reason: 'flow-limit' }), 2);
});

t.test('the state of backends, pools, workers and the daemon is shown as it is', async (t) => {
  const exposition = await setUp().read();
  const a = { pool: 'main', backend: 'a' };
  t.equal(exposition.sum('sluice_backend_up', a), 1);
  t.same(exposition.select('sluice_backend_eligible', a)[0]?.value, 0);
  t.equal(exposition.sum('sluice_backend_weight_effective', a), 0.5);
  t.equal(exposition.sum('sluice_backend_active', a), 7);
  t.equal(exposition.sum('sluice_backend_max_connections', a), 10);
  t.equal(exposition.sum('sluice_queue_length', { pool: 'main' }), 3);
  t.equal(exposition.sum('sluice_pool_backends', { pool: 'main', state: 'drained' }), 2);
  t.equal(exposition.sum('sluice_pool_held', { pool: 'main' }), 1);
  t.equal(exposition.sum('sluice_overrides', { kind: 'drain' }), 2);
  t.equal(exposition.sum('sluice_overrides_oldest_timestamp_seconds'), 1_700_000_000);
  t.equal(exposition.sum('sluice_worker_heartbeat_seconds', { worker: '0' }), 0.25);
  // From 0 on: a rate would not see the first restart.
  t.same(
    exposition.select('sluice_worker_restarts_total').map(({ value }) => value),
    [0],
  );
  t.equal(exposition.sum('sluice_config_hash_info', { hash: 'abc123' }), 1);
  t.equal(exposition.sum('sluice_build_info', { version: '1.2.3', engine: 'uring' }), 1);
  t.equal(exposition.sum('process_start_time_seconds'), 1_700_000_000);
});

t.test('what happens on the main thread is counted, and forgotten with its backend', async (t) => {
  const { metrics, read } = setUp();
  const a = { pool: 'main', backend: 'a' };
  const b = { pool: 'main', backend: 'b' };
  metrics.transition(a, 'down');
  metrics.ejection(a, 'consecutive-failures');
  metrics.probe(a, 0.003, 'timeout');
  metrics.probe(a, 0.003, null);
  metrics.probe(b, 0.003, 'refused');
  metrics.reload('failure');
  metrics.logSuppressed('session.ended', 12);
  const before = await read();
  t.equal(before.sum('sluice_backend_transitions_total', { ...a, to: 'down' }), 1);
  t.equal(before.sum('sluice_ejections_total', { ...a, reason: 'consecutive-failures' }), 1);
  t.equal(before.sum('sluice_probe_seconds_count', a), 2);
  t.equal(before.sum('sluice_probe_failures_total', { ...a, reason: 'timeout' }), 1);
  t.equal(before.sum('sluice_reloads_total', { result: 'failure' }), 1);
  t.same(before.select('sluice_reloads_total', { result: 'success' })[0]?.value, 0);
  t.equal(before.sum('sluice_log_suppressed_total', { event: 'session.ended' }), 12);
  metrics.forget(a);
  const after = await read();
  for (const sample of after.samples) {
    if (/transitions|ejections|probe/.test(sample.name)) t.equal(sample.labels['backend'], 'b');
  }
  t.equal(after.sum('sluice_probe_failures_total', b), 1);
});
