/** The postgres probe against a primary and its replica: roles and replay lag. */
import t from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import type { Probe } from '../../../src/health/probe.js';
import { probeOf } from '../../contract/probe_cases.js';
import { eventually } from '../../support/deadline.js';
import { haveServers } from '../../support/require_server.js';
import {
  POSTGRES_PROGRAMS,
  type Postgres,
  query,
  startPostgres,
  startReplica,
} from '../../support/servers/postgres.js';
import { ask, line } from './ask.js';

type PostgresSpec = Extract<ProbeSpec, { kind: 'postgres' }>;

const SPEC: PostgresSpec = {
  kind: 'postgres',
  role: 'any',
  user: null,
  database: 'postgres',
  password: null,
  maxLagMs: 0,
  allowCleartextPassword: false,
  tls: null,
};

t.test('a primary and its replica', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const [primary] = await startPostgres(t, 1);
  if (primary === undefined) return;
  await query(primary.port, 'create table t (x int); create role probe login');
  const replica = await startReplica(t, primary);
  const told = async (server: Postgres, more: Partial<PostgresSpec>): Promise<string> =>
    line(await ask({ ...SPEC, user: 'probe', ...more }, server.port));

  await t.test('are distinguished', async (t) => {
    t.equal(await told(primary, { role: 'primary' }), 'ok: role primary');
    t.equal(await told(replica, { role: 'primary' }), 'wrong-role: is replica, not primary');
    t.equal(await told(replica, { role: 'replica' }), 'ok: role replica');
    t.equal(await told(primary, { role: 'replica' }), 'wrong-role: is primary, not replica');
  });

  await t.test('a replica that has replayed everything does not lag, however idle', async (t) => {
    const caughtUp = /^ok: role replica, lags by at most 0 ms$/;
    await eventually('replay', async () =>
      caughtUp.test(await told(replica, { maxLagMs: 1 })) ? true : undefined,
    );
    t.match(await told(replica, { maxLagMs: 1 }), caughtUp);
  });

  await t.test('a replica that does not replay lags more and more', async (t) => {
    await query(primary.port, 'insert into t values (0)');
    await eventually('replay', async () =>
      (await query(replica.port, 'select count(*) from t')) === '1' ? true : undefined,
    );
    await query(replica.port, 'select pg_wal_replay_pause()');
    await query(primary.port, 'insert into t select generate_series(1, 100)');
    await eventually('the lag', async () =>
      /^lagging: may lag by \d+ ms, allowed are 50 ms$/.test(await told(replica, { maxLagMs: 50 }))
        ? true
        : undefined,
    );
    t.match(
      await told(replica, { maxLagMs: 3_600_000 }),
      /^ok: role replica, lags by at most [1-9]\d* ms$/,
    );
    await query(replica.port, 'select pg_wal_replay_resume()');
    await eventually('replay', async () =>
      (await told(replica, { maxLagMs: 50 })).startsWith('ok') ? true : undefined,
    );
  });

  await t.test('a replica that lost its primary lags from that moment on', async (t) => {
    const old =
      'select extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) > 1';
    await eventually('a while without a transaction', async () =>
      (await query(replica.port, old)) === 't' ? true : undefined,
    );
    const lenient = { ...SPEC, user: 'probe', maxLagMs: 3_600_000 };
    const endpoint = ipEndpoint(4, '127.0.0.1', replica.port);
    const lagMs = async (probe: Probe): Promise<number> => {
      const target = { endpoint, prelude: new Uint8Array(0) };
      const told = line(await probe.attempt(target, new AbortController().signal));
      return Number(/^ok: role replica, lags by at most (\d+) ms$/.exec(told)?.[1]);
    };
    const witness = probeOf(lenient);
    const seenMs = performance.now();
    t.equal(await lagMs(witness), 0);
    await primary.stop();
    await eventually('the end of the stream', async () =>
      (await query(replica.port, 'select count(*) from pg_stat_wal_receiver')) === '0'
        ? true
        : undefined,
    );
    const lostMs = await lagMs(witness);
    t.ok(lostMs <= performance.now() - seenMs, `${lostMs} ms since the stream was seen`);
    const newcomerMs = await lagMs(probeOf(lenient));
    t.ok(newcomerMs > lostMs + 1_000, `${newcomerMs} ms to a prober that never saw it`);
  });

  await t.test('one that was never seen with a primary, from its last transaction', async (t) => {
    await eventually('the lag', async () =>
      (await told(replica, { maxLagMs: 50 })).startsWith('lagging: may lag by') ? true : undefined,
    );
    t.equal(
      await told(replica, { role: 'replica' }),
      'ok: role replica',
      'unless lag is no matter',
    );
  });

  await t.test('a promoted replica is the primary', async (t) => {
    await replica.promote();
    t.equal(await told(replica, { role: 'primary', maxLagMs: 50 }), 'ok: role primary');
  });

  await t.test('a server that was killed refuses, one that is frozen says nothing', async (t) => {
    replica.freeze('SIGSTOP');
    const abort = new AbortController();
    const asked = ask(SPEC, replica.port, abort.signal);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    t.match(
      line(await asked),
      /^timeout: timed out waiting for the answer to the start-up message/,
    );
    replica.freeze('SIGCONT');
    await replica.kill();
    t.match(line(await ask(SPEC, replica.port)), /^refused: /);
  });
});
