/** UDP flows: which address answers, how long a flow lives, what is dropped and why. */
import t from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { startUdpEchoes, type UdpEcho, udpClient, udpClients } from '../support/load/datagrams.js';
import { mustRun } from '../support/process.js';
import { decodeProxy, encodeUdp4 } from '../support/proxy_decoder.js';
import { available, findProgram } from '../support/require_server.js';
import { type ListenerText, listenerText, poolText } from '../support/settings.js';

t.test('a wildcard listener answers from the IPv4 address that the client used', async (t) => {
  const echoes = await startUdpEchoes(t, 1);
  const daemon = await startDaemon(t, { toml: service(echoes, { bind: '0.0.0.0:0' }) });
  const port = await daemon.port('udp');
  for (const host of ['127.0.0.1', '127.0.0.2', '127.1.2.3']) {
    const client = await udpClient(t, { port, host, localAddress: '127.0.0.9' });
    const { payload, from } = await client.ask('hello');
    t.equal(payload.toString(), 'hello');
    t.equal(`${from.address}:${from.port}`, `${host}:${port}`);
  }
});

t.test('a wildcard listener answers from the IPv6 address that the client used', async (t) => {
  const rootless = process.getuid?.() !== 0 || findProgram('ip') === null;
  if (!available(t, [['a second IPv6 address needs root and ip(8)', !rootless]])) return;
  const second = 'fd53:6c75:6963:65::2';
  await mustRun('ip', ['-6', 'address', 'replace', `${second}/128`, 'dev', 'lo']);
  t.teardown(() => mustRun('ip', ['-6', 'address', 'delete', `${second}/128`, 'dev', 'lo']));
  const echoes = await startUdpEchoes(t, 1);
  const daemon = await startDaemon(t, { toml: service(echoes, { bind: '[::]:0' }) });
  const port = await daemon.port('udp');
  for (const host of ['::1', second]) {
    const client = await udpClient(t, { port, host, localAddress: '::1' });
    const { payload, from } = await client.ask('hello');
    t.equal(payload.toString(), 'hello');
    t.equal(`${from.address} ${from.port}`, `${host} ${port}`);
  }
});

t.test('empty datagrams and datagrams of 65,507 bytes pass both ways', async (t) => {
  const echoes = await startUdpEchoes(t, 1);
  const daemon = await startDaemon(t, { toml: service(echoes) });
  const client = await udpClient(t, { port: await daemon.port('udp') });
  for (const bytes of [0, 1, 1_472, 9_000, 65_507, 0]) {
    const payload = Buffer.alloc(bytes, bytes & 0xff);
    const answer = await client.ask(payload);
    t.ok(answer.payload.equals(payload), `${bytes} bytes`);
  }
  await daemon.metricSettles('sluice_datagrams_total', { direction: 'in' }, (sum) => sum === 6);
  await daemon.metricSettles('sluice_datagrams_total', { direction: 'out' }, (sum) => sum === 6);
});

t.test('at the cap new flows are shed and counted, old ones go on', async (t) => {
  const echoes = await startUdpEchoes(t, 2);
  const daemon = await startDaemon(t, {
    workers: 2,
    toml: service(echoes, { lines: 'max_sessions = 50\nidle_timeout = "3s"' }),
  });
  const port = await daemon.port('udp');
  const old = await udpClients(t, { port }, 50);
  for (const client of old) await client.ask('open');
  const young = await udpClients(t, { port }, 20);
  for (const client of young) client.send('let me in');
  await dropped(daemon, 'flow-limit', 20);
  for (const client of old) t.equal(await client.askOrNull('again', 2_000), 'again');
  t.equal(young.flatMap((client) => client.answers.past).length, 0);
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
  for (const client of young) t.equal(await client.askOrNull('now', 2_000), 'now');
});

t.test(
  'a flow whose backend answers by ICMP unreachable moves with its next datagram',
  async (t) => {
    const echoes = await startUdpEchoes(t, 2, 'tagged');
    const daemon = await startDaemon(t, { toml: service(echoes, {}, 'probe = "none"') });
    const clients = await udpClients(t, { port: await daemon.port('udp') }, 8);
    const before = await Promise.all(clients.map(async (client) => text(await client.ask('a'))));
    t.same([...new Set(before)].sort(), ['1a', '2a'], 'both backends serve');
    await echoes[0]?.kill();
    // The first one is answered by the kernel; the flow moves with one of the next.
    for (const client of clients) {
      const answer = await eventually('the flow moves', () =>
        client.askOrNull('b', 250).then((a) => a ?? undefined),
      );
      t.equal(answer, '2b');
    }
    const metrics = await daemon.metrics();
    t.ok(metrics.sum('sluice_datagrams_dropped_total', { reason: 'backend-unreachable' }) > 0);
  },
);

t.test('a first datagram that was not taken goes to the next backend, in silence', async (t) => {
  const [live] = await startUdpEchoes(t, 1, 'tagged');
  if (live === undefined) throw new Error('no backend');
  const gone = await startUdpEchoes(t, 2);
  for (const echo of gone) await echo.kill();
  const toml = service([...gone, live], {}, 'probe = "none"');
  const daemon = await startDaemon(t, { toml });
  const port = await daemon.port('udp');
  const clients = await udpClients(t, { port }, 12);
  for (const client of clients) t.equal(await client.askOrNull('a', 5_000), '1a');
  const metrics = await daemon.metrics();
  t.equal(metrics.sum('sluice_datagrams_dropped_total', {}), 0);
  t.ok(metrics.sum('sluice_retries_total', {}) > 0);
  const isEach = (sum: number): boolean => sum === clients.length;
  await daemon.metricSettles('sluice_datagrams_total', { direction: 'in' }, isEach);
});

t.test('a first datagram that no backend takes is dropped, and counted once', async (t) => {
  const gone = await startUdpEchoes(t, 4);
  for (const echo of gone) await echo.kill();
  const daemon = await startDaemon(t, { toml: service(gone, {}, 'probe = "none"', 'retries = 2') });
  const [client] = await udpClients(t, { port: await daemon.port('udp') }, 1);
  const reason = 'backend-unreachable';
  client?.send('a');
  await daemon.metricSettles('sluice_datagrams_dropped_total', { reason }, (sum) => sum === 1);
  const failures = await daemon.metricSettles('sluice_dial_failures_total', {}, (sum) => sum >= 3);
  t.equal(failures, 3, 'the first one and two retries');
});

t.test('a flow whose backend health declares down moves with its next datagram', async (t) => {
  const echoes = await startUdpEchoes(t, 2, 'tagged');
  const daemon = await startDaemon(t, {
    toml: service(echoes, {}, `probe = "udp"\nsend = "ping"\n${QUICK}`),
  });
  await daemon.backendsUp('udp', 2);
  const clients = await udpClients(t, { port: await daemon.port('udp') }, 8);
  for (const client of clients) await client.ask('a');
  await echoes[1]?.kill();
  await daemon.backendsUp('udp', 1);
  for (const client of clients) t.equal(await client.askOrNull('b', 2_000), '1b');
});

t.test('every datagram carries a PROXY header that an independent decoder reads', async (t) => {
  const [echo] = await startUdpEchoes(t, 1);
  if (echo === undefined) throw new Error('no backend');
  echo.record = true;
  const daemon = await startDaemon(t, {
    toml: service([echo], {}, 'probe = "none"', 'send_proxy_protocol = "v2"'),
  });
  const port = await daemon.port('udp');
  const client = await udpClient(t, { port, localAddress: '127.0.0.7' });
  const payloads = ['one', 'two', '', 'x'.repeat(1_000)];
  for (const payload of payloads) await client.ask(payload);
  const seen = echo.datagrams.map(({ payload }) => decodeProxy(payload));
  t.same(
    seen.map(({ payload }) => payload.toString()),
    payloads,
  );
  for (const header of seen) {
    t.match(header, {
      command: 'PROXY',
      transport: 0x12,
      source: `127.0.0.7:${client.port}`,
      destination: `127.0.0.1:${port}`,
    });
    t.not(header.checksumHolds, false);
  }
  client.send(Buffer.alloc(65_507));
  await dropped(daemon, 'too-large', 1);
});

t.test('with a PROXY header required, each named client is a flow of its own', async (t) => {
  const [echo] = await startUdpEchoes(t, 1);
  if (echo === undefined) throw new Error('no backend');
  const lines = 'accept_proxy_protocol = true\ntrusted_proxies = ["127.0.0.1/32"]';
  const daemon = await startDaemon(t, { toml: service([echo], { lines }) });
  const port = await daemon.port('udp');
  const front = await udpClient(t, { port });
  for (const [host, clientPort] of [
    ['192.0.2.1', 1_000],
    ['192.0.2.1', 1_001],
    ['192.0.2.2', 1_000],
  ] as const) {
    for (const word of ['a', 'b']) {
      const packet = Buffer.concat([encodeUdp4(host, clientPort), Buffer.from(word)]);
      t.equal(text(await front.ask(packet)), word);
    }
  }
  t.equal(echo.peers.size, 3);
  front.send('no header');
  front.send(Buffer.from('\r\n\r\n\0\r\nQUIT\n\x31\x12\0\0', 'latin1'));
  await dropped(daemon, 'bad-proxy-header', 2);
  const stranger = await udpClient(t, { port, localAddress: '127.0.0.66' });
  stranger.send(encodeUdp4('192.0.2.9', 1));
  await dropped(daemon, 'untrusted-proxy', 1);
});

t.test('without a backend datagrams are dropped and the reason is counted', async (t) => {
  const echoes = await startUdpEchoes(t, 1);
  const health = `probe = "udp"\nsend = "ping"\n${QUICK}`;
  const daemon = await startDaemon(t, { toml: service(echoes, {}, health) });
  await daemon.backendsUp('udp', 1);
  await echoes[0]?.kill();
  await daemon.backendsUp('udp', 0);
  const clients = await udpClients(t, { port: await daemon.port('udp') }, 5);
  for (const client of clients) client.send('anyone?');
  await dropped(daemon, 'all-down', 5);
  await echoes[0]?.start();
  await daemon.backendsUp('udp', 1);
  for (const client of clients) t.equal(await client.askOrNull('now?', 2_000), 'now?');
});

t.test('udp_responses ends a flow after its number of replies', async (t) => {
  const [echo] = await startUdpEchoes(t, 1);
  if (echo === undefined) throw new Error('no backend');
  const daemon = await startDaemon(t, {
    toml: service([echo], {}, 'probe = "none"', 'udp_responses = 1'),
  });
  const client = await udpClient(t, { port: await daemon.port('udp') });
  for (let i = 0; i < 5; i++) t.equal(text(await client.ask(`q${i}`)), `q${i}`);
  t.equal(echo.peers.size, 5, 'each question had a flow of its own');
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);
  t.equal((await daemon.metrics()).sum('sluice_sessions_total', { outcome: 'responses-done' }), 5);
});

const QUICK = `interval = "300ms"
fast_interval = "100ms"
down_interval = "200ms"
timeout = "200ms"
fall = 2
rise = 2
`;

function service(
  echoes: readonly UdpEcho[],
  listener: Partial<ListenerText> = {},
  health = 'probe = "none"',
  lines = '',
): string {
  return (
    listenerText({ pool: 'udp', protocol: 'udp', ...listener }) +
    poolText({ name: 'udp', backends: echoes.map(({ address }) => ({ address })), health, lines })
  );
}

async function dropped(daemon: Daemon, reason: string, count: number): Promise<void> {
  await daemon.metricSettles('sluice_datagrams_dropped_total', { reason }, (sum) => sum === count);
}

function text({ payload }: { readonly payload: Buffer }): string {
  return payload.toString('latin1');
}
