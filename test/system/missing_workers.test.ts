/** While a worker is missing, another one serves the clients that the kernel gives to it. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import { type IpEndpoint, ipEndpoint } from '../../src/core/endpoint.js';
import { accessLine } from '../support/access_lines.js';
import { type Daemon, ENGINE, startDaemon } from '../support/daemon.js';
import { eventually, within } from '../support/deadline.js';
import { PLACE_VARIABLE, START_VARIABLE, VICTIM } from '../support/defects.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { burst } from '../support/load/short_connections.js';
import { tempFolder } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { type Received, UdpPeer } from '../support/udp_peer.js';
import { dial, tryDial, type Wire } from '../support/wire.js';

const EVERY_THREAD = new URL('../support/defects.js', import.meta.url);
/** Enough for either worker to have some: all at one has the probability 2^-31. */
const CLIENTS = 32;
const LIMIT_MS = 2_000;
/** Sessions of a listener that is full. */
const CAP = 8;

interface Scene {
  readonly daemon: Daemon;
  /** Answers nothing by itself. */
  readonly thinker: UdpPeer;
  /** The file with this listener beside those for datagrams. */
  readonly toml: (listener: string, lines?: string) => string;
  /** One of the two workers is lost, and none can be started in its place from now on. */
  readonly lose: (listener?: string) => Promise<void>;
  /** Another one takes its place. */
  readonly replace: () => Promise<void>;
}

async function scene(t: Test): Promise<Scene> {
  const backends = await startEchoes(t, 1);
  const echo = (await UdpPeer.open()).echo();
  const thinker = await UdpPeer.open();
  t.teardown(() => Promise.all([echo.close(), thinker.close()]));
  const toml = (listener: string, lines = ''): string =>
    text(listener, lines, backends, [echo, thinker]);
  const obstacle = join(tempFolder(t), 'obstacle');
  const daemon = await startDaemon(t, {
    workers: 2,
    access: 'all',
    shutdownTimeout: '1s',
    everyThread: EVERY_THREAD,
    env: { [PLACE_VARIABLE]: 'shared', [START_VARIABLE]: obstacle },
    expects: ['worker-lost', 'worker-start-failed'],
    toml: toml('front'),
  });
  return {
    daemon,
    thinker,
    toml,
    lose: async (listener = 'front') => {
      writeFileSync(obstacle, 'no thread for a test');
      const lost = daemon.nextEvent('worker-lost');
      await tryDial({ port: await daemon.port(listener), localAddress: VICTIM });
      await lost;
    },
    replace: async () => {
      rmSync(obstacle);
      await daemon.event('worker-started');
    },
  };
}

function text(
  listener: string,
  lines: string,
  backends: readonly EchoBackend[],
  [echo, thinker]: readonly [UdpPeer, UdpPeer],
): string {
  const health = 'probe = "none"';
  const servers = [{ address: `127.0.0.1:${echo.endpoint.port}` }];
  const slow = [{ address: `127.0.0.1:${thinker.endpoint.port}` }];
  return [
    listenerText({ name: listener, pool: 'servers', lines }),
    listenerText({ name: 'everywhere', protocol: 'udp', pool: 'datagram-servers' }),
    listenerText({ name: 'here', protocol: 'udp', pool: 'datagram-servers', bind: '127.0.0.1:0' }),
    listenerText({ name: 'slow', protocol: 'udp', pool: 'slow', bind: '127.0.0.1:0' }),
    poolText({ name: 'servers', backends, health }),
    poolText({ name: 'slow', backends: slow, health }),
    poolText({ name: 'datagram-servers', backends: servers, health, lines: 'udp_responses = 1' }),
  ].join('\n');
}

t.test(`${ENGINE}: nothing waits for a worker that cannot be replaced`, async (t) => {
  const { daemon, lose, replace } = await scene(t);
  const port = await daemon.port('front');
  const everywhere = ipEndpoint(4, '127.0.0.1', await daemon.port('everywhere'));
  const here = ipEndpoint(4, '127.0.0.1', await daemon.port('here'));
  const before = await udpDescriptors(daemon);
  await lose();
  const { failures, answeredMs } = await burst({ port }, CLIENTS, LIMIT_MS);
  t.same(failures, [], 'a client that comes is served at once');
  t.comment(`the slowest of ${CLIENTS} was answered after ${answeredMs.at(-1)} ms`);
  await daemon.event('worker-start-failed');
  t.same(await unanswered(t, everywhere), [], 'datagrams are answered');
  t.same(await unanswered(t, here), [], 'at an address of its own too');
  t.equal((await daemon.get('/ready')).status, 200);

  const wires = await Promise.all(Array.from({ length: CLIENTS }, () => dial(t, { port })));
  t.same(await echoes(wires), Array(CLIENTS).fill('hello'));
  await replace();
  t.same(await echoes(wires), Array(CLIENTS).fill('hello'), 'sessions go on when it is back');
  t.same((await burst({ port }, CLIENTS, LIMIT_MS)).failures, []);
  for (const front of [everywhere, here]) t.same(await unanswered(t, front), []);
  for (const wire of wires) wire.socket.end();
  const streams = { listener: 'front' };
  await daemon.metricSettles('sluice_sessions_active', streams, (sum) => sum === 0);
  await heldAgain(daemon, before);
});

t.test(`${ENGINE}: a worker that returns costs no client of its deputy an answer`, async (t) => {
  const { daemon, thinker, lose, replace } = await scene(t);
  const before = await udpDescriptors(daemon);
  await lose();
  await daemon.event('worker-start-failed');
  const to = ipEndpoint(4, '127.0.0.1', await daemon.port('slow'));
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => UdpPeer.open()));
  t.teardown(() => Promise.all(clients.map((client) => client.close())));
  for (const client of clients) client.send(to, 'question');
  const questions: Received[] = [];
  for (const _ of clients) questions.push(await thinker.next());
  // By turns: those of the deputy come last.
  const half = (rest: number): typeof questions => questions.filter((_, at) => at % 2 === rest);
  for (const { from } of half(0)) thinker.send(from, 'answer');
  await received(clients, CLIENTS / 2);
  await replace();
  const own = ({ listener }: { readonly listener: string }): boolean => listener === 'slow';
  t.match(await accessLine(daemon, 'a flow at the deputy', own), {
    outcome: { cause: 'drained' },
  });
  for (const { from } of half(1)) thinker.send(from, 'answer');
  await received(clients, CLIENTS);
  t.equal((await daemon.metrics()).sum('sluice_datagrams_dropped_total'), 0);
  await heldAgain(daemon, before);
});

t.test(`${ENGINE}: neither a reload nor a stop waits for a worker that is missing`, async (t) => {
  const { daemon, toml, lose, replace } = await scene(t);
  const before = await daemon.port('front');
  await lose();
  await daemon.event('worker-start-failed');
  const limited = `max_sessions = ${CAP}`;
  const reloaded = await within('a reload', daemon.reload(toml('other', limited)), LIMIT_MS);
  t.equal(reloaded.event, 'reloaded');
  const refused = Array.from({ length: CLIENTS }, () => tryDial({ port: before }));
  t.same(new Set(await Promise.all(refused)), new Set(['ECONNREFUSED']), 'nothing holds the old');

  const port = await daemon.port('other');
  const wires = await Promise.all(Array.from({ length: CLIENTS }, () => dial(t, { port })));
  for (const wire of wires) wire.socket.write('hello');
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === CAP);
  await replace();
  const served = wires.map(async (wire) => {
    const answer = await wire.readText(5);
    const active = (await daemon.metrics()).sum('sluice_sessions_active', {});
    wire.socket.end();
    return { answer, active };
  });
  const found = await Promise.all(served);
  const answers = found.map(({ answer }) => answer);
  t.same(answers, Array(CLIENTS).fill('hello'), 'the rest is served when places are free');
  t.equal(Math.max(...found.map(({ active }) => active)), CAP, 'and the cap holds');

  await lose('other');
  await within('a stop', daemon.stop(), LIMIT_MS);
});

/** Clients, each at a port of its own, that have no answer in time. */
async function unanswered(t: Test, to: IpEndpoint): Promise<readonly number[]> {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => UdpPeer.open()));
  t.teardown(() => Promise.all(clients.map((client) => client.close())));
  const answers = clients.map(async (client) => {
    client.send(to, 'hello');
    await within('an answer', client.text(), LIMIT_MS);
  });
  const settled = await Promise.allSettled(answers);
  return settled.flatMap(({ status }, at) => (status === 'fulfilled' ? [] : [at]));
}

/** By listener for datagrams. */
function udpDescriptors(daemon: Daemon): Promise<readonly number[]> {
  const count = async (name: string): Promise<number> =>
    daemon.udpDescriptors(await daemon.port(name));
  return Promise.all(['everywhere', 'here', 'slow'].map(count));
}

/** What the lost thread and its deputy had of the sockets is given back. */
async function heldAgain(daemon: Daemon, before: readonly number[]): Promise<void> {
  await eventually('as many descriptors as before', async () => {
    const now = await udpDescriptors(daemon);
    if (isDeepStrictEqual(now, before)) return true;
    throw new Error(`there are ${now} instead of ${before}`);
  });
}

/** When this many of `clients` have got an answer. */
async function received(clients: readonly UdpPeer[], count: number): Promise<void> {
  const got = (): number => clients.filter((client) => client.received.past.length > 0).length;
  await eventually('answers', async () => (got() >= count ? true : undefined));
}

function echoes(wires: readonly Wire[]): Promise<readonly string[]> {
  return Promise.all(
    wires.map(async (wire) => {
      await wire.send('hello');
      return wire.readText(5);
    }),
  );
}
