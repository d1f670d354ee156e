/** A pool that follows Redis' sentinels: writes go to the server that is the primary now. */
import t from 'tap';
import { startDaemon } from '../support/daemon.js';
import { eventually, nowMs } from '../support/deadline.js';
import { haveServers } from '../support/require_server.js';
import { redisCommand, startRedis } from '../support/servers/redis.js';
import { startSentinels } from '../support/servers/sentinel.js';
import { serviceText } from '../support/settings.js';

t.test('writes follow a failover of the sentinels, and a client sees one cut', async (t) => {
  if (!haveServers(t, 'redis-server', 'redis-cli')) return;
  const servers = await startRedis(t, 3);
  const [primary, ...replicas] = servers;
  if (primary === undefined) throw new Error('one is needed');
  for (const replica of replicas) {
    await replica.command('replicaof', '127.0.0.1', String(primary.port));
    await replica.linked();
  }
  const sentinels = await startSentinels(t, primary.port, 3);
  const addresses = sentinels.map(({ port }) => `"127.0.0.1:${port}"`).join(', ');
  const source = (name: string, role: string): string => `[[pools.${name}.discovery]]
kind = "sentinel"
addresses = [${addresses}]
master = "mymaster"
role = "${role}"
`;
  const pool = (name: string, role: string): string =>
    serviceText({
      name,
      backends: [],
      sections: source(name, role),
      lines: 'on_down = "close"',
    });
  const daemon = await startDaemon(t, { toml: pool('w', 'primary') + pool('r', 'replica') });
  await daemon.backendsUp('w', 1);
  await daemon.backendsUp('r', 2);
  const writes = await daemon.port('w');
  t.equal(await redisCommand(writes, 'set', 'a', '1'), 'OK');
  t.match(await redisCommand(await daemon.port('r'), 'role'), /^slave/);

  const switched = Promise.any(
    sentinels.map(({ child }) =>
      child.stdout.next('a failover', (line) => line.includes('+switch-master')),
    ),
  ).then(nowMs);
  await primary.kill();
  // The first write that a new primary takes; until then there is no server to take one.
  const written = eventually('a write', async () => {
    const answer = await redisCommand(writes, 'set', 'a', '2').catch(() => 'refused');
    return answer === 'OK' ? nowMs() : undefined;
  });
  const delayMs = (await written) - (await switched);
  t.ok(delayMs < 2_000, `${Math.round(delayMs)} ms after the sentinels' event`);
  t.comment(`writes followed ${Math.round(delayMs)} ms after the sentinels' event`);
  const added = servers.slice(1).map(({ address }) => address);
  const told = await daemon.event('discovery-changed', ({ pool, removed }) => {
    return pool === 'w' && String(removed) === primary.address;
  });
  t.ok(added.includes(String(told['added'])), 'one of the replicas');
  t.same(
    daemon.eventsNamed('discovery-suspicious', ({ pool }) => pool === 'w'),
    [],
  );
  // It is the primary now, and no replica any more.
  await daemon.event('backend-removed', ({ pool, backend }) => {
    return pool === 'r' && String(backend) === String(told['added']);
  });
});
