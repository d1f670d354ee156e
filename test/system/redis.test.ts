/** Real Redis servers behind the real daemon. */
import t from 'tap';
import { startDaemon } from '../support/daemon.js';
import { runToEnd, startChild } from '../support/process.js';
import { haveServers, program } from '../support/require_server.js';
import { REDIS_PROGRAMS, redisCommand, startRedis } from '../support/servers/redis.js';
import { serviceText } from '../support/settings.js';
import { tryDial, type Wire } from '../support/wire.js';

/** Of redis-benchmark: so many sessions at once for each of its commands. */
const CLIENTS = 48;

t.test('redis-benchmark runs through sluice and every server does its share', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const servers = await startRedis(t, 3);
  const daemon = await startDaemon(t, {
    toml: serviceText({ name: 'redis', policy: 'least-connections', backends: servers }),
  });
  await daemon.backendsUp('redis', 3);
  const port = await daemon.port('redis');
  const requests = 10_000;
  const { code, stdout, stderr } = await runToEnd(
    program('redis-benchmark'),
    ['-p', String(port), '-n', String(requests), '-c', String(CLIENTS), '-t', 'set,get', '-q'],
    { limitMs: 60_000 },
  );
  t.equal(code, 0, stderr);
  t.match(stdout, /SET: [\d.]+ requests per second[\s\S]*GET: [\d.]+ requests per second/);
  // Sessions, and not commands: a server that gets less of the processor answers fewer of them.
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
  const metrics = await daemon.metrics();
  const served = servers.map(({ address }) =>
    metrics.sum('sluice_sessions_total', { pool: 'redis', backend: address }),
  );
  const all = served.reduce((sum, count) => sum + count, 0);
  t.ok(all >= 2 * CLIENTS, `${all} sessions`);
  for (const count of served) t.ok(count > all / 6, `${count} of ${all} sessions`);
});

t.test('what is published through sluice reaches a subscriber through sluice', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const servers = await startRedis(t, 3);
  const daemon = await startDaemon(t, {
    // Without a bound on load, so that all of this one client's sessions meet at one server.
    toml: serviceText({
      name: 'redis',
      policy: 'source-hash',
      backends: servers,
      sections: '[pools.redis.hash]\nbalance_factor = 0',
    }),
  });
  await daemon.backendsUp('redis', 3);
  const port = await daemon.port('redis');
  const subscriber = startChild(t, program('redis-cli'), ['-p', String(port), 'subscribe', 'news']);
  await subscriber.stdout.first('the subscription', (line) => line === 'subscribe');
  const sent = Array.from({ length: 50 }, (_, index) => `message-${index}`);
  for (const text of sent) t.equal(await redisCommand(port, 'publish', 'news', text), '1');
  await subscriber.stdout.first('the last message', (line) => line === sent.at(-1));
  t.same(
    subscriber.stdout.past.filter((line) => line.startsWith('message-')),
    sent,
  );
});

t.test('by source-hash clients keep their server when a fourth one joins', async (t) => {
  if (!haveServers(t, ...REDIS_PROGRAMS)) return;
  const servers = await startRedis(t, 4);
  const toml = (count: number): string =>
    serviceText({
      name: 'redis',
      policy: 'source-hash',
      backends: servers.slice(0, count).map(({ address }, i) => ({ address, name: `r${i}` })),
    });
  const daemon = await startDaemon(t, { toml: toml(3) });
  await daemon.backendsUp('redis', 3);
  const port = await daemon.port('redis');
  for (const [index, server] of servers.entries()) await server.command('set', 'name', `r${index}`);
  const clients = Array.from({ length: 200 }, (_, i) => `127.0.${1 + (i % 4)}.${1 + i}`);
  const before = new Map<string, string>();
  for (const client of clients) {
    before.set(client, await redisAs(client, port, 'GET name'));
    t.equal(await redisAs(client, port, `SET key:${client} here`), '+OK');
  }
  await daemon.reload(toml(4));
  await daemon.backendsUp('redis', 4);
  const stayed: string[] = [];
  const wandered: string[] = [];
  for (const client of clients) {
    const server = await redisAs(client, port, 'GET name');
    if (server === before.get(client)) stayed.push(client);
    else if (server !== 'r3') wandered.push(client);
  }
  for (const client of stayed) t.equal(await redisAs(client, port, `EXISTS key:${client}`), ':1');
  // A quarter of the clients belongs to the fourth server now; hardly any other client may move.
  t.ok(stayed.length >= 200 * 0.65, `${stayed.length} of 200 clients stay`);
  t.ok(wandered.length <= 200 * 0.04, `${wandered.length} of 200 move among the old servers`);
});

/** One inline command from the client address `from`; gives the answer without its framing. */
async function redisAs(from: string, port: number, command: string): Promise<string> {
  const wire = await tryDial({ port, localAddress: from });
  if (typeof wire === 'string') throw new Error(wire);
  await wire.send(`${command}\r\n`);
  const first = await line(wire);
  const answer = first.startsWith('$') ? await line(wire) : first;
  wire.finish();
  await wire.closed;
  return answer;
}

async function line(wire: Wire): Promise<string> {
  let text = '';
  while (!text.endsWith('\r\n')) text += await wire.readText(1);
  return text.trim();
}
