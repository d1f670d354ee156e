/** UDP flows outlive their listener: a stop or a reload lets them finish, as TCP sessions. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { accessLine, accessLines } from '../support/access_lines.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually, within } from '../support/deadline.js';
import { startUdpEchoes, type UdpClient, udpClient } from '../support/load/datagrams.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { UdpPeer } from '../support/udp_peer.js';

t.test('a stop lets UDP flows go on until shutdown_timeout, and begins none', async (t) => {
  const { daemon, client, port } = await withFlow(t, '2s');
  daemon.signal('SIGTERM');
  t.match(await daemon.event('stopping'), { sessions: 1 });
  await newcomerDropped(t, daemon, port);
  t.equal((await client.ask('still here')).payload.toString(), 'still here');
  t.match(await accessLine(daemon, 'the flow', () => true), {
    outcome: { by: 'sluice', stage: 'drain', cause: 'shutdown' },
  });
  t.same(await within('the end', daemon.exited, 3_000), { code: 0, signal: null });
  t.ok(Number((await daemon.event('stopped'))['sessions']) >= 1, 'counted as cut');
});

t.test('a stop ends with the last UDP flow', async (t) => {
  const backend = await askedBackend(t);
  const toml = udpText(backend.address, 'udp_responses = 1', 'udp', 'idle_timeout = "3s"');
  const daemon = await startDaemon(t, { toml, workers: 2, access: 'all' });
  const port = await daemon.port('udp');
  const client = await udpClient(t, { port });
  const answer = client.ask('question');
  const asked = await backend.asked;
  daemon.signal('SIGTERM');
  await newcomerDropped(t, daemon, port);
  asked('answer');
  t.equal((await answer).payload.toString(), 'answer', 'the reply under way arrives');
  t.match(await accessLine(daemon, 'the flow', () => true), {
    outcome: { by: 'backend', cause: 'responses-done' },
  });
  t.same(await within('the end', daemon.exited, 8_000), { code: 0, signal: null });
});

t.test('a stop waits neither for a flow at rest nor for one whose backend is gone', async (t) => {
  const [[echo], gone] = await Promise.all([startUdpEchoes(t, 1), UdpPeer.open()]);
  const listener = (name: string) => listenerText({ name, pool: name, protocol: 'udp' });
  const pool = (name: string, address: string) =>
    poolText({ name, backends: [{ address }], health: 'probe = "none"' });
  const toml =
    listener('rests') +
    listener('lacks') +
    pool('rests', echo?.address ?? '') +
    pool('lacks', `127.0.0.1:${gone.endpoint.port}`);
  const daemon = await startDaemon(t, { toml, access: 'all', shutdownTimeout: '59s' });
  const resting = await udpClient(t, { port: await daemon.port('rests') });
  await resting.ask('question');
  const lacking = await udpClient(t, { port: await daemon.port('lacks') });
  lacking.send('question');
  await gone.next();
  await gone.close();
  lacking.send('again');
  const labels = { reason: 'backend-unreachable' };
  await daemon.metricSettles('sluice_datagrams_dropped_total', labels, (sum) => sum === 1);
  const carried = { pool: 'lacks', direction: 'in' };
  await daemon.metricSettles('sluice_datagrams_total', carried, (sum) => sum === 1);
  daemon.signal('SIGTERM');
  t.match(await daemon.event('stopping'), { sessions: 2 });
  t.same(await within('the end', daemon.exited, 40_000), { code: 0, signal: null });
  t.match(await daemon.event('stopped'), { sessions: 0 }, 'none was cut');
  const causes = accessLines(daemon).map(({ outcome }) => outcome.cause);
  t.same(causes.sort(), ['backend-down', 'drained']);
});

t.test('a reload without a UDP listener lets its flows go on, and with it again too', async (t) => {
  const { daemon, client, port, toml, other } = await withFlow(t, '300ms');
  const without = toml.replace(/\[listeners\.udp\][^[]*/, '');
  t.equal((await daemon.reload(without + other)).event, 'reloaded');
  t.match(await daemon.event('listener-removed'), { listener: 'udp', sessions: 1 });
  t.equal((await client.ask('still here')).payload.toString(), 'still here');
  t.equal((await daemon.reload(toml.replace(/:0"/, `:${port}"`))).event, 'reloaded');
  t.equal((await client.ask('and here')).payload.toString(), 'and here');
  const late = await udpClient(t, { port });
  t.equal((await late.ask('new')).payload.toString(), 'new');
});

t.test('a UDP listener that takes the port of a removed one gets every client', async (t) => {
  const { daemon, client, port, toml } = await withFlow(t, '300ms');
  const renamed = toml.replace('[listeners.udp]', '[listeners.new]').replace(/:0"/, `:${port}"`);
  t.equal((await daemon.reload(renamed)).event, 'reloaded');
  t.equal((await client.ask('again')).payload.toString(), 'again');
  for (let index = 0; index < 16; index++) {
    const late = await udpClient(t, { port });
    t.equal((await late.ask(`new ${index}`)).payload.toString(), `new ${index}`);
  }
});

t.test('not a datagram is lost while a UDP listener is renamed, again and again', async (t) => {
  const [echo] = await startUdpEchoes(t, 1);
  const port = await freePort();
  const at = (name: string): string =>
    udpText(echo?.address ?? '', '', name).replace(
      /bind = .*/,
      `bind = ["0.0.0.0:${port}", "[::]:${port}"]`,
    );
  const daemon = await startDaemon(t, { toml: at('x'), workers: 2 });
  const askers = await Promise.all(
    Array.from({ length: 8 }, (_, index) => UdpPeer.open(index % 2 === 0 ? '127.0.0.1' : '::1')),
  );
  t.teardown(() => Promise.all(askers.map((asker) => asker.close())));
  let sent = 0;
  let load: 'goes on' | 'is over' = 'goes on';
  for (const asker of askers) {
    const { family, host } = asker.endpoint;
    const ask = (): void => asker.send(ipEndpoint(family, host, port), `${sent++}`);
    // Each answer is followed by the next question, so that no buffer runs over.
    asker.received.each(() => {
      if (load === 'goes on') ask();
    });
    for (let ahead = 0; ahead < 4; ahead++) ask();
  }
  for (const name of ['y', 'x', 'y', 'z', 'x', 'y']) {
    t.equal((await daemon.reload(at(name))).event, 'reloaded');
  }
  load = 'is over';
  const answers = (): number => askers.reduce((sum, { received }) => sum + received.past.length, 0);
  await eventually('all answers', async () => {
    if (answers() >= sent) return true;
    throw new Error(`there are ${answers()} of ${sent}`);
  });
  t.equal(answers(), sent);
  t.equal((await daemon.metrics()).sum('sluice_datagrams_dropped_total'), 0);
});

t.test('a flow ends only when another listener is where its own socket is', async (t) => {
  const [echo] = await startUdpEchoes(t, 1);
  const address = echo?.address ?? '';
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  const [p1, p2, p3] = ports;
  const at = (name: string, binds: readonly string[]): string =>
    udpText(address, '', name).replace(/bind = .*/, `bind = ${JSON.stringify(binds)}`);
  const daemon = await startDaemon(t, { toml: at('x', [`0.0.0.0:${p1}`]), access: 'all' });
  await daemon.reload(at('x', [`0.0.0.0:${p2}`, `127.0.0.1:${p3}`]));
  const clients = await Promise.all([p2, p3].map((port) => udpClient(t, { port })));
  for (const client of clients) await client.ask('hello');
  // Where x was once, and at a port of x but at another address of this machine.
  const reloaded = await daemon.reload(at('y', [`0.0.0.0:${p1}`, `127.0.0.2:${p3}`]));
  t.equal(reloaded.event, 'reloaded');
  for (const client of clients) {
    t.equal((await client.ask('still here')).payload.toString(), 'still here');
  }
  t.same(accessLines(daemon), [], 'they are the same flows');
  // Now at one of x's two sockets: the flow of the other one goes on.
  await daemon.reload(at('z', [`0.0.0.0:${p2}`]));
  t.match(await accessLine(daemon, 'the flow at p2', () => true), {
    listener: 'x',
    outcome: { cause: 'drained' },
  });
  t.equal((await clients[1]?.ask('and here'))?.payload.toString(), 'and here');
  t.equal(accessLines(daemon).length, 1);
  const late = await Promise.all(Array.from({ length: 16 }, () => udpClient(t, { port: p2 })));
  for (const client of late) {
    t.equal((await client.ask('new')).payload.toString(), 'new', 'z gets every client');
  }
});

t.test('a removed UDP listener leaves its port when its flows have ended', async (t) => {
  const { daemon, port, toml, other } = await withFlow(t, '300ms', 'idle_timeout = "1s"');
  const without = toml.replace(/\[listeners\.udp\][^[]*/, '');
  t.equal((await daemon.reload(without + other)).event, 'reloaded');
  t.match(await accessLine(daemon, 'the flow', () => true), {
    outcome: { cause: 'idle-timeout' },
  });
  const socket = await within('the port is free', bound(port), 3_000);
  socket.close();
});

/** Sends as a client without a flow until the closing listener has said that it takes none. */
async function newcomerDropped(t: Test, daemon: Daemon, port: number): Promise<void> {
  await daemon.event('stopping');
  const labels = { reason: 'listener-closing' };
  await eventually('a newcomer is dropped', async () => {
    const late = await udpClient(t, { port });
    late.send('late');
    const dropped = (await daemon.metrics()).sum('sluice_datagrams_dropped_total', labels);
    return dropped > 0 ? true : undefined;
  });
}

interface Flowing {
  readonly daemon: Daemon;
  readonly client: UdpClient;
  readonly port: number;
  readonly toml: string;
  /** A file needs a listener. */
  readonly other: string;
}

async function withFlow(t: Test, shutdownTimeout: string, lines = ''): Promise<Flowing> {
  const [echo] = await startUdpEchoes(t, 1);
  const toml = udpText(echo?.address ?? '', '', 'udp', lines);
  const other = listenerText({ name: 'other', pool: 'udp', protocol: 'udp' });
  const daemon = await startDaemon(t, { toml, workers: 2, access: 'all', shutdownTimeout });
  const port = await daemon.port('udp');
  const client = await udpClient(t, { port });
  await client.ask('hello');
  return { daemon, client, port, toml, other };
}

function udpText(address: string, pool: string, name: string, lines = ''): string {
  return (
    listenerText({ name, pool: 'udp', protocol: 'udp', lines }) +
    poolText({ name: 'udp', backends: [{ address }], health: 'probe = "none"', lines: pool })
  );
}

interface AskedBackend {
  readonly address: string;
  /** Resolves with the first question, as a way to answer it. */
  readonly asked: Promise<(answer: string) => void>;
}

async function askedBackend(t: Test): Promise<AskedBackend> {
  const port = await freePort();
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  const asked = new Promise<(answer: string) => void>((resolve) => {
    socket.once('message', (_, from) =>
      resolve((answer) => socket.send(answer, from.port, from.address)),
    );
  });
  return { address: `127.0.0.1:${port}`, asked };
}

/** A socket at `port`, as soon as it is free. */
async function bound(port: number): Promise<Socket> {
  for (;;) {
    const socket = createSocket('udp4');
    try {
      socket.bind({ port, exclusive: true });
      await once(socket, 'listening');
      return socket;
    } catch {
      socket.close();
    }
  }
}
