/** Writes follow the primary: PostgreSQL and Redis with a failover, without touching the daemon. */
import t from 'tap';
import { startDaemon } from '../support/daemon.js';
import { eventually, nowMs } from '../support/deadline.js';
import { haveServers } from '../support/require_server.js';
import {
  POSTGRES_PROGRAMS,
  query,
  rejoin,
  startPostgres,
  startReplica,
} from '../support/servers/postgres.js';
import { REDIS_PROGRAMS, redisCommand, startRedis } from '../support/servers/redis.js';
import { type BackendText, listenerText, poolText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const FAST_INTERVAL_MS = 100;
const FALL = 2;
const DOWN_INTERVAL_MS = 250;
const RISE = 2;
const TIMING = `interval = "300ms"
fast_interval = "${FAST_INTERVAL_MS}ms"
down_interval = "${DOWN_INTERVAL_MS}ms"
timeout = "1s"
fall = ${FALL}
rise = ${RISE}
`;
/** A down backend's next probe, then what it takes to rise, and the probes' own time. */
const FOLLOW_LIMIT_MS = DOWN_INTERVAL_MS * 1.1 + RISE * FAST_INTERVAL_MS * 1.1 + 1_000;

t.test('writes follow the primary of PostgreSQL, reads its replicas', async (t) => {
  if (!haveServers(t, ...POSTGRES_PROGRAMS, 'pg_rewind')) return;
  const [primary] = await startPostgres(t, 1);
  if (primary === undefined) throw new Error('no server');
  const replica = await startReplica(t, primary);
  const toml = byRole('probe = "postgres"\nuser = "postgres"', [primary, replica]);
  const daemon = await startDaemon(t, { toml });
  await daemon.backendsUp('write', 1);
  await daemon.backendsUp('read', 1);
  const write = await daemon.port('write');
  const read = await daemon.port('read');
  await query(write, 'create table notes (text text)');
  await query(write, "insert into notes values ('before')");
  t.equal(await query(write, 'select inet_server_port()'), String(primary.port));
  t.equal(await query(read, 'select inet_server_port()'), String(replica.port));
  await eventually('the replica has the row', async () =>
    (await query(read, 'select text from notes')) === 'before' ? true : undefined,
  );

  await primary.stop();
  await daemon.backendsUp('write', 0);
  await replica.promote();
  const promotedMs = nowMs();
  await eventually('a write succeeds', async () => {
    await query(write, "insert into notes values ('after')");
    return true;
  });
  const followedMs = nowMs() - promotedMs;
  t.ok(followedMs < FOLLOW_LIMIT_MS, `writes follow after ${Math.round(followedMs)} ms`);
  t.equal(await query(write, 'select inet_server_port()'), String(replica.port));

  // The promoted server leaves the pool of the replicas with its own probe there, not with the
  // first one of the other pool.
  await daemon.backendsUp('read', 0);
  await rejoin(primary, replica);
  await daemon.backendsUp('read', 1);
  t.equal(await query(read, 'select inet_server_port()'), String(primary.port));
  await eventually('the new replica has both rows', async () =>
    (await query(read, 'select count(*) from notes')) === '2' ? true : undefined,
  );
});

t.test('writes follow the primary of Redis, and sessions leave the old one', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const [first, second] = await startRedis(t, 2);
  if (first === undefined || second === undefined) throw new Error('no server');
  await second.command('replicaof', '127.0.0.1', String(first.port));
  await second.linked();
  const daemon = await startDaemon(t, { toml: byRole('probe = "redis"', [first, second]) });
  await daemon.backendsUp('write', 1);
  await daemon.backendsUp('read', 1);
  const write = await daemon.port('write');
  const read = await daemon.port('read');
  t.equal(await redisCommand(write, 'set', 'key', 'before'), 'OK');
  t.equal(await redisCommand(read, 'config', 'get', 'port'), `port\n${second.port}`);
  const session = await dial(t, { port: write });
  await session.send('PING\r\n');
  t.equal(await session.readText(7), '+PONG\r\n');

  await second.command('replicaof', 'no', 'one');
  await first.command('replicaof', '127.0.0.1', String(second.port));
  const failedOverMs = nowMs();
  await eventually('a write succeeds on the new primary', async () => {
    const port = await redisCommand(write, 'config', 'get', 'port');
    return port === `port\n${second.port}` ? true : undefined;
  });
  const followedMs = nowMs() - failedOverMs;
  t.ok(followedMs < FOLLOW_LIMIT_MS, `writes follow after ${Math.round(followedMs)} ms`);
  t.equal(await redisCommand(write, 'set', 'key', 'after'), 'OK');
  await session.readAll();
  const closedMs = nowMs() - failedOverMs;
  t.ok(
    closedMs < FOLLOW_LIMIT_MS + 1_000,
    `the old session is closed after ${Math.round(closedMs)} ms`,
  );
  await eventually('the read pool follows', async () => {
    const port = await redisCommand(read, 'config', 'get', 'port');
    return port === `port\n${first.port}` ? true : undefined;
  });
});

/** Two pools over the same servers, one a role. */
function byRole(probe: string, servers: readonly BackendText[]): string {
  const backends = servers.map(({ address }) => ({ address }));
  const lines = 'on_down = "close"';
  return (
    listenerText({ pool: 'write' }) +
    listenerText({ pool: 'read' }) +
    poolText({ name: 'write', backends, lines, health: `${probe}\nrole = "primary"\n${TIMING}` }) +
    poolText({ name: 'read', backends, lines, health: `${probe}\nrole = "replica"\n${TIMING}` })
  );
}
