/**
 * Three machines with one address behind a router, by conf/ha as it is there: BIRD and `announce`
 * on each, and a router with a resilient group of next hops. The test's own network is the router,
 * the client and the backend.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { present } from '../../../src/core/assert.js';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { eventually, within } from '../../support/deadline.js';
import { MovingLoad } from '../../support/load/moving_load.js';
import { exchangeOnce } from '../../support/load/short_connections.js';
import { haveMachines, ip, startMachines, type TestMachine } from '../../support/machines.js';
import { inOwnNetwork } from '../../support/own_network.js';
import { freePort, tempFolder } from '../../support/places.js';
import { startChild } from '../../support/process.js';
import { repositoryRoot } from '../../support/repository.js';
import { program } from '../../support/require_server.js';

const HA = join(repositoryRoot, 'conf/ha');
const VIRTUAL = '192.0.2.10';
const PORT = 5432;
const ROUTER = '10.79.0.1';
const SERVICE = { host: VIRTUAL, port: PORT, localAddress: ROUTER };
const GROUP = 100;
const NODES = ['a', 'b', 'c'];
const WHO = 'who';
const SESSIONS = 60;
const AFTERWARDS = 100;
const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`;

/** At one end of its cable; `node`: 0 and so on. */
const hostOf = (node: number): string => `10.78.${node + 1}.2`;
const gatewayOf = (node: number): string => `10.78.${node + 1}.1`;

if (inOwnNetwork(import.meta.url)) {
  t.test('one of three leaves: only its sessions end, and no client is refused then', async (t) => {
    if (!haveMachines(t, 'bird', 'birdc', 'bash')) return;
    const machines = await startMachines(t, NODES);
    await startRouter(t, machines);
    const backend = await startNamingBackend(t);
    const daemons: Daemon[] = [];
    for (const [node, machine] of machines.entries()) {
      daemons.push(await startNode(t, machine, node, backend));
    }
    await hops(3);
    const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => openSession(t)));
    for (const node of NODES.keys()) {
      t.ok(
        sessions.some(({ through }) => through === hostOf(node)),
        `some are at ${NODES[node]}`,
      );
    }

    const leaving = present(daemons[1], 'the second node');
    const load = new MovingLoad(t, SERVICE);
    await load.until(async () => {
      leaving.signal('SIGTERM');
      await leaving.event('leaving');
      await hops(2);
      t.equal(await exchangeOnce(SERVICE), null);
      load.moved();
      t.ok(leaving.eventsNamed('stopping').length === 0, 'it accepted until then');
    });
    const report = await load.end();
    t.same(report.refused, [], 'no client is refused, before the withdrawal and after it');
    t.same(report.cut.after, [], 'a client that comes after it is served');
    t.ok(report.done.before > 0 && report.done.after > 0);
    const answers = await Promise.all(sessions.map((session) => session.ask()));
    const ended = sessions.filter((_, index) => answers[index] === 'ended');
    const its = sessions.filter(({ through }) => through === hostOf(1));
    t.same(ended, its, 'its sessions ended, and no other');
    leaving.signal('SIGTERM');
    await hops(2);
    t.equal(await refused(), 0, 'nor when it has stopped');
  });
}

/** Waits until the router divides clients among this many. */
async function hops(count: number): Promise<void> {
  await eventually(`${count} next hops`, async () => {
    const group = /group (\S+)/.exec(await ip(`nexthop show id ${GROUP}`))?.[1] ?? '';
    return group.split('/').length === count && group !== '' ? true : undefined;
  });
}

async function startRouter(t: Test, machines: readonly TestMachine[]): Promise<void> {
  // By ports, too: else one client has one node.
  writeFileSync('/proc/sys/net/ipv4/fib_multipath_hash_policy', '1');
  await ip(`address add ${ROUTER}/32 dev lo`);
  const peers: string[] = [];
  for (const [node, machine] of machines.entries()) {
    await ip(`address add ${gatewayOf(node)}/24 dev ${machine.cable}`);
    await machine.ip(`address add ${hostOf(node)}/24 dev eth0`);
    await machine.ip(`route add default via ${gatewayOf(node)}`);
    await machine.ip(`address add ${VIRTUAL}/32 dev lo`);
    peers.push(`protocol bgp {
      local as 65000;
      neighbor ${hostOf(node)} as 65001;
      connect delay time 1;
      error wait time 1, 1;
      ipv4 { import all; export none; };
    }`);
  }
  const folder = tempFolder(t);
  const file = join(folder, 'bird.conf');
  writeFileSync(file, [`router id ${ROUTER};`, 'protocol device {}', ...peers, ''].join('\n'));
  const socket = join(folder, 'bird.ctl');
  startChild(t, program('bird'), ['-f', '-c', file, '-s', socket, '-P', join(folder, 'pid')]);
  const script = join(HA, 'resilient-router');
  const env = { BIRD_SOCKET: socket, PATH };
  startChild(t, script, [`${VIRTUAL}/32`, String(GROUP)], { env });
}

async function startNode(
  t: Test,
  machine: TestMachine,
  node: number,
  backend: string,
): Promise<Daemon> {
  const example = readFileSync(join(HA, 'sluice.toml'), 'utf8');
  const toml = example
    .slice(example.indexOf('[listeners'), example.lastIndexOf('[[pools'))
    .replace('10.0.0.21:5432', backend);
  const daemon = await startDaemon(t, {
    toml,
    engine: node === 0 ? 'node' : 'uring',
    workers: 1,
    admin: '127.0.0.1:9600',
    // A signal ends it: how long the router takes is not this machine's to say.
    daemonLines: 'leave_delay = "1h"',
    within: machine.within,
  });
  await daemon.backendsUp('pg', 1);
  const folder = tempFolder(t);
  const file = join(folder, 'bird.conf');
  const text = readFileSync(join(HA, 'bird.conf'), 'utf8')
    .replace('198.51.100.11', hostOf(node))
    .replace('198.51.100.1 ', `${gatewayOf(node)} `);
  writeFileSync(file, text);
  const socket = join(folder, 'bird.ctl');
  machine.start(t, [program('bird'), '-f', '-c', file, '-s', socket, '-P', join(folder, 'pid')]);
  machine.start(t, [join(HA, 'announce'), 'postgres'], { BIRD_SOCKET: socket, PATH });
  return daemon;
}

/** Repeats what it receives, and says on request from where that came. */
async function startNamingBackend(t: Test): Promise<string> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('data', (bytes) => {
      socket.write(String(bytes) === WHO ? (socket.remoteAddress ?? '') : bytes);
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, ROUTER, resolve));
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return `${ROUTER}:${port}`;
}

interface OpenSession {
  readonly through: string;
  /** Sends something, and gets it back, or the end. */
  readonly ask: () => Promise<'answered' | 'ended'>;
}

async function openSession(t: Test): Promise<OpenSession> {
  const socket = connect({ host: VIRTUAL, port: PORT, localAddress: ROUTER });
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  const next = (): Promise<string | null> =>
    new Promise((resolve) => {
      socket.once('data', (bytes) => resolve(String(bytes)));
      socket.once('close', () => resolve(null));
    });
  const answer = within('a session', next());
  socket.write(WHO);
  const hello = await answer;
  if (hello === null) throw new Error('a session ended before it began');
  return {
    through: hello,
    ask: async () => {
      const answer = within('an answer or the end', next());
      socket.write('hello');
      return (await answer) === null ? 'ended' : 'answered';
    },
  };
}

/** How many of those that dial now get no answer. */
async function refused(): Promise<number> {
  let failures = 0;
  for (let dialled = 0; dialled < AFTERWARDS; dialled++) {
    if ((await exchangeOnce(SERVICE)) !== null) failures++;
  }
  return failures;
}
