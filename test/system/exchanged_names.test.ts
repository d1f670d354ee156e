/** Names in a file are only names: what they are given to stays with its own backends. */
import t, { type Test } from 'tap';
import { askControl } from '../support/control_client.js';
import { startOperated } from '../support/ctl.js';
import { startDaemon } from '../support/daemon.js';
import { startUdpEchoes, udpClient } from '../support/load/datagrams.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { reloadStorm } from '../support/load/reload_storm.js';
import { shortConnections, tally } from '../support/load/short_connections.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const STORM_MS = 6_000;
const RELOADS = 24;
const PER_SECOND = 300;

t.test('names that listeners and pools exchange lead no client astray', async (t) => {
  const [own, others] = await startEchoes(t, 2);
  const [ownUdp, othersUdp] = await startUdpEchoes(t, 2);
  if (!own || !others || !ownUdp || !othersUdp) throw new Error('four backends were started');
  const [port, other] = [await freePort(), await freePort()];
  const file = (listeners: readonly string[], pools: readonly string[]): string =>
    [port, other]
      .map((at, index) => {
        const [listener, pool] = [listeners[index] ?? '', pools[index] ?? ''];
        const of = (protocol: 'tcp' | 'udp', address: string): string =>
          listenerText({
            name: `${protocol}_${listener}`,
            pool: `${protocol}_${pool}`,
            bind: `0.0.0.0:${at}`,
            protocol,
          }) +
          poolText({
            name: `${protocol}_${pool}`,
            backends: [{ address, name: protocol }],
            health: 'probe = "none"',
          });
        return index === 0
          ? of('tcp', own.address) + of('udp', ownUdp.address)
          : of('tcp', others.address) + of('udp', othersUdp.address);
      })
      .join('');
  const [first, second] = [
    ['a', 'b'],
    ['b', 'a'],
  ];
  const plain = file(first, first);
  const exchanged = [file(first, second), file(second, first), file(second, second)];
  const daemon = await startDaemon(t, { toml: plain, workers: 2 });
  await daemon.port('tcp_a');

  const shorts = shortConnections({ port }, PER_SECOND, STORM_MS);
  const asked = askAllTheTime(t, port);
  const files = exchanged.flatMap((one) => [one, plain]);
  const outcomes = await reloadStorm(daemon, files, RELOADS, STORM_MS);
  t.same(outcomes, Array(RELOADS).fill('reloaded'));
  t.same(tally((await shorts).failures), {});
  t.ok((await asked.stop()) > 100, 'questions were answered all the while');
  t.equal(others.served, 0, 'no connection went to the backend of the other port');
  t.equal(othersUdp.received, 0, 'no datagram went to the backend of the other port');
});

for (const [what, first] of [
  ['exchange its pool with another one', 'q'],
  ['rename its pool', 'x'],
] as const) {
  t.test(`clients that wait are served when a reload moves a bind and ${what}`, async (t) => {
    const [own, others] = await startEchoes(t, 2);
    if (!own || !others) throw new Error('two backends were started');
    const [port, other] = [await freePort(), await freePort()];
    const file = (host: string, pools: readonly [string, string]): string =>
      listenerText({ name: 'a', pool: pools[0], bind: `${host}:${port}` }) +
      poolText({ name: pools[0], backends: [own], health: 'probe = "none"' }) +
      listenerText({ name: 'b', pool: pools[1], bind: `0.0.0.0:${other}` }) +
      poolText({ name: pools[1], backends: [others], health: 'probe = "none"' });
    const toml = file('0.0.0.0', ['p', 'q']);
    const { daemon, socket } = await startOperated(t, { toml, workers: 2 });
    await daemon.port('a');
    t.equal((await askControl(socket, 'POST', '/v1/hold', { pool: 'p' })).status, 200);
    const wires = await Promise.all(Array.from({ length: 20 }, () => dial(t, { port })));
    for (const wire of wires) await wire.send('x');
    await daemon.metricSettles('sluice_sessions_active', { listener: 'a' }, (sum) => sum === 20);
    const reloaded = await daemon.reload(file('127.0.0.1', [first, first === 'q' ? 'p' : 'q']));
    t.equal(reloaded.event, 'reloaded');
    for (const wire of wires) t.equal((await wire.read(1)).toString(), 'x');
    t.equal(others.served, 0, 'no connection went to the backend of the other port');
  });
}

/** One question after the other, each from a new client. */
function askAllTheTime(t: Test, port: number): { stop(): Promise<number> } {
  let load: 'goes on' | 'is over' = 'goes on';
  const done = (async (): Promise<number> => {
    let answers = 0;
    while (load === 'goes on') {
      const client = await udpClient(t, { port });
      await client.ask(`question ${answers++}`);
    }
    return answers;
  })();
  return {
    stop: () => {
      load = 'is over';
      return done;
    },
  };
}
