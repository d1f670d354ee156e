/** Ctrl-C in psql behind sluice: a cancel is a connection of its own, and finds its server. */
import t, { type Test } from 'tap';
import { formatAddress } from '../../src/core/endpoint.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { startDaemon } from '../support/daemon.js';
import { eventually, nowMs } from '../support/deadline.js';
import { runToEnd } from '../support/process.js';
import { haveServers, program } from '../support/require_server.js';
import { POSTGRES_PROGRAMS, type Postgres, startPostgres } from '../support/servers/postgres.js';
import { listenerText, poolText } from '../support/settings.js';
import { silentEndpoint } from '../support/silent_endpoint.js';
import { type Ending, type Target, tryDial, WireServer } from '../support/wire.js';

const SLEEP_S = 30;
const REQUEST = Buffer.from('0000001004d2162e0000000100000002', 'hex');
/** What a server logs of a cancel that is for none of its sessions. */
const STRAY = /in cancel request|cancel request for process/;
const CANCELLED = /canceling statement due to user request/;

/** `psql -c 'select pg_sleep(30)'` with a Ctrl-C: what it says, and how soon. */
async function interrupted(
  port: number,
  afterS: number,
): Promise<{ stderr: string; tookMs: number }> {
  const startedMs = nowMs();
  const sql = `select pg_sleep(${SLEEP_S})`;
  const where = `host=127.0.0.1 port=${port} user=postgres dbname=postgres`;
  const psql = [program('psql'), '-X', '-c', sql, where];
  const { stderr } = await runToEnd('timeout', ['-s', 'INT', String(afterS), ...psql]);
  return { stderr, tookMs: nowMs() - startedMs };
}

function listeners(): string {
  return POLICY_NAMES.map((policy) =>
    listenerText({ name: policy, pool: policy, lines: 'postgres.cancel = "route"' }),
  ).join('');
}

function pools(servers: readonly Postgres[]): string {
  return POLICY_NAMES.map((policy) => poolText({ name: policy, policy, backends: servers })).join(
    '',
  );
}

/** Statements that the servers say were cancelled; each server logs its own. */
const cancelledBy = (servers: readonly Postgres[]): number =>
  servers.flatMap(({ log }) => log.filter((line) => CANCELLED.test(line))).length;

const strayAt = (servers: readonly Postgres[]): readonly string[] =>
  servers.flatMap(({ log }) => log.filter((line) => STRAY.test(line)));

/** A client that cancels, and how its connection ends. */
async function cancel(target: Target): Promise<Ending> {
  const wire = await tryDial(target);
  if (typeof wire === 'string') throw new Error(wire);
  await wire.send(REQUEST);
  wire.finish();
  const how = await wire.closed;
  wire.socket.destroy();
  return how;
}

/** Sessions at `ports`, each with a Ctrl-C after `afterS`, end by it. */
async function allCancelled(t: Test, ports: readonly number[], afterS = 1): Promise<void> {
  const all = await Promise.all(ports.map((port) => interrupted(port, afterS)));
  for (const { stderr, tookMs } of all) {
    t.match(stderr, CANCELLED);
    t.ok(tookMs < (SLEEP_S * 1_000) / 2, `${Math.round(tookMs)} ms`);
  }
}

t.test(
  'a cancel reaches its server, whatever the policy, and through another sluice',
  async (t) => {
    if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
    const servers = await startPostgres(t, 3);
    const daemon = await startDaemon(t, { toml: listeners() + pools(servers), access: 'all' });
    for (const policy of POLICY_NAMES) await daemon.backendsUp(policy, 3);
    const ports = await Promise.all(POLICY_NAMES.map((policy) => daemon.port(policy)));
    await allCancelled(t, [...ports, ...ports]);
    t.equal(cancelledBy(servers), 2 * ports.length, 'each once, and none elsewhere');
    t.same(strayAt(servers), [], 'each at the server whose session it is, and at no other');
    // timeout(1) signals psql and then its whole group: psql may ask twice for one Ctrl-C.
    await daemon.metricSettles(
      'sluice_sessions_total',
      { outcome: 'cancel-handed-on' },
      (sum) => sum >= 2 * ports.length,
    );

    // The session comes through one sluice, and the cancel to the other one by round-robin.
    const front = await startDaemon(t, {
      toml:
        listenerText({ pool: 'nodes' }) +
        poolText({
          name: 'nodes',
          policy: 'round-robin',
          backends: [
            { address: `127.0.0.1:${ports[0]}`, name: 'one' },
            { address: `127.0.0.1:${await daemon.port('random')}`, name: 'two' },
          ],
        }),
    });
    await front.backendsUp('nodes', 2);
    await allCancelled(t, [await front.port('nodes')]);
  },
);

t.test('a cancel reaches a server that is full and drains', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const servers = await startPostgres(t, 2);
  const toml = (backends: readonly Postgres[]): string =>
    listenerText({ pool: 'pg', lines: 'postgres.strict = true' }) +
    poolText({ name: 'pg', backends, lines: 'max_connections = 1\ndrain_timeout = "1m"' });
  const daemon = await startDaemon(t, { toml: toml(servers) });
  await daemon.backendsUp('pg', 2);
  const port = await daemon.port('pg');
  // Long enough for what happens before the cancel.
  const both = allCancelled(t, [port, port], 6);
  await daemon.metricSettles('sluice_sessions_active', { pool: 'pg' }, (sum) => sum === 2);
  const refused = await runToEnd(program('psql'), [
    '-Xc',
    'select 1',
    `host=127.0.0.1 port=${port} user=postgres sslmode=disable gssencmode=disable`,
  ]);
  t.match(refused.stderr, /sluice has no backend for this: all-full/);
  await daemon.reload(toml(servers.slice(0, 1)));
  await both;
});

t.test('a client that cancels more than it may is refused, and harms nobody', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS)) return;
  const [server] = await startPostgres(t, 1);
  const daemon = await startDaemon(t, {
    toml:
      listenerText({ pool: 'pg', lines: 'postgres.strict = true' }) +
      poolText({ name: 'pg', backends: server ? [server] : [] }),
  });
  await daemon.backendsUp('pg', 1);
  const port = await daemon.port('pg');
  await Promise.all(Array.from({ length: 60 }, () => cancel({ port })));
  await daemon.metricSettles('sluice_refused_total', { reason: 'cancel-limit' }, (sum) => sum > 0);
  await allCancelled(t, [port]);
});

t.test(
  'cancels for a server that does not answer hold up no others, and leave nothing',
  async (t) => {
    const silent = await silentEndpoint();
    t.teardown(() => silent.close());
    const server = await WireServer.start(t);
    const taken = async (): Promise<void> => {
      const wire = await server.next();
      await wire.read(REQUEST.length);
      wire.socket.destroy();
    };
    const pools = { dead: formatAddress(silent.endpoint), alive: server.address };
    const daemon = await startDaemon(t, {
      openFiles: 1_024,
      toml: Object.entries(pools)
        .map(([pool, address]) => {
          const health = 'probe = "none"';
          return (
            listenerText({ pool, lines: 'postgres.strict = true' }) +
            poolText({ name: pool, backends: [{ address }], health })
          );
        })
        .join(''),
    });
    const [dead, alive] = [await daemon.port('dead'), await daemon.port('alive')];
    t.same(await Promise.all([cancel({ port: alive }), taken()]), ['fin', undefined]);
    const atRest = await daemon.descriptors();
    // 20 a second of each client.
    const many = Array.from({ length: 240 }, (_, i) =>
      cancel({ port: dead, localAddress: `127.0.1.${1 + (i % 12)}` }),
    );
    await daemon.metricSettles('sluice_accepted_total', { listener: 'dead' }, (sum) => sum === 240);
    const startedMs = nowMs();
    t.same(await Promise.all([cancel({ port: alive }), taken()]), ['fin', undefined]);
    t.ok(nowMs() - startedMs < 1_500, `${Math.round(nowMs() - startedMs)} ms`);
    await Promise.all(many);
    await eventually(
      'the descriptors',
      async () => (await daemon.descriptors()) <= atRest || undefined,
    );
  },
);
