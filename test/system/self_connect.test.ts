/**
 * Dead backends whose port connect(2) takes as its own: in a network whose only source port is
 * theirs, each dial and each probe would meet itself.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { accessLine } from '../support/access_lines.js';
import { type Daemon, type LogRecord, startDaemon } from '../support/daemon.js';
import { inOwnNetwork } from '../support/own_network.js';
import { freePort, tempFolder } from '../support/places.js';
import { mustRun } from '../support/process.js';
import { listenerText, poolText, QUICK_HEALTH } from '../support/settings.js';
import { UdpPeer } from '../support/udp_peer.js';
import { dial } from '../support/wire.js';

const RANGE_FILE = '/proc/sys/net/ipv4/ip_local_port_range';
const UNPROBED = 'probe = "none"\n';
const UDP_HEALTH = QUICK_HEALTH.replace('"tcp"', '"udp"\nsend = "hello"');
/** By pool: a host of this machine. The last one is an address of no interface. */
const HOSTS = {
  loopback: '127.0.0.1',
  loopback6: '[::1]',
  own: '192.0.2.7',
  own6: '[2001:db8::7]',
  routed: '198.51.100.7',
} as const;

if (inOwnNetwork(import.meta.url)) {
  t.test('a dial or a probe that meets itself was refused', async (t) => {
    for (const words of [
      'address add 192.0.2.7/32 dev lo',
      '-6 address add 2001:db8::7/128 dev lo',
      'route add local 198.51.100.0/24 dev lo',
    ]) {
      await mustRun('ip', words.split(' '));
    }
    const dead = await freePort();
    writeFileSync(RANGE_FILE, `${dead} ${dead}`);
    const { daemon, folder, udpPort, probed } = await start(t, dead);
    for (const pool of Object.keys(HOSTS)) await isRefused(t, daemon, folder, pool);
    await isServedElsewhere(t, folder);
    await dropsDatagrams(t, daemon, udpPort);
    // Not before: the sessions' dials would find the only port taken by a probe.
    t.equal((await daemon.reload(probed)).event, 'reloaded');
    await isDown(t, daemon);
    t.same(metThemselves(), [], 'their port is free at once');
    await servesWhenItReturns(t, daemon, folder, dead);
  });
}

interface Started {
  readonly daemon: Daemon;
  /** Of the listeners and of the backend that serves: no port is free for other processes. */
  readonly folder: string;
  readonly udpPort: number;
  /** The same service and probed pools beside it. */
  readonly probed: string;
}

async function start(t: Test, dead: number): Promise<Started> {
  const folder = tempFolder(t);
  const server = createServer((socket) => socket.end('served'));
  await new Promise<void>((resolve) => server.listen(join(folder, 'backend'), resolve));
  t.teardown(() => server.close());
  const [udpPort, adminPort] = [await freePort(), await freePort()];
  const at = (pool: string): string => `unix:${join(folder, pool)}`;
  const backends = Object.entries(HOSTS).map(([name, host]) => ({
    name,
    address: `${host}:${dead}`,
  }));
  const spare = [...backends, { name: 'spare', address: at('backend') }];
  const tcp = backends.map((backend) => {
    const pool = { name: backend.name, backends: [backend], health: UNPROBED };
    return listenerText({ pool: backend.name, bind: at(backend.name) }) + poolText(pool);
  });
  const toml = [
    ...tcp,
    listenerText({ pool: 'spare', bind: at('spare') }),
    poolText({ name: 'spare', backends: spare, health: UNPROBED, lines: 'retries = 9' }),
    listenerText({ pool: 'udp', bind: `127.0.0.1:${udpPort}`, protocol: 'udp' }),
    poolText({ name: 'udp', backends, health: UNPROBED, lines: 'retries = 9' }),
  ].join('\n');
  // One datagram socket at a time has the only port.
  const asked = { name: 'udp-probed', backends: backends.slice(0, 1), health: UDP_HEALTH };
  const probed = [
    toml,
    listenerText({ pool: 'tcp-probed', bind: at('tcp-probed') }),
    poolText({ name: 'tcp-probed', backends }),
    listenerText({ pool: 'udp-probed', bind: `127.0.0.1:${await freePort()}`, protocol: 'udp' }),
    poolText(asked),
  ].join('\n');
  const daemon = await startDaemon(t, { toml, access: 'all', admin: `127.0.0.1:${adminPort}` });
  return { daemon, folder, udpPort, probed };
}

async function isRefused(t: Test, daemon: Daemon, folder: string, pool: string): Promise<void> {
  const client = await dial(t, { port: 0, path: join(folder, pool) });
  // The session may be over already.
  client.socket.write('hello', () => {});
  t.equal((await client.readAll()).text, '', `${pool}: no client gets its own bytes back`);
  const { outcome } = await accessLine(daemon, pool, (line) => line.listener === pool);
  t.same(outcome, { by: 'sluice', stage: 'dial', cause: 'dial-failed' }, pool);
  const labels = { pool, reason: 'refused' };
  await daemon.metricSettles('sluice_dial_failures_total', labels, (sum) => sum === 1);
}

async function isServedElsewhere(t: Test, folder: string): Promise<void> {
  for (let i = 0; i < 10; i++) {
    const client = await dial(t, { port: 0, path: join(folder, 'spare') });
    t.equal((await client.readAll()).text, 'served');
  }
}

async function dropsDatagrams(t: Test, daemon: Daemon, port: number): Promise<void> {
  const client = await UdpPeer.open('127.0.0.1', await freePort());
  t.teardown(() => client.close());
  client.send(ipEndpoint(4, '127.0.0.1', port), 'hello');
  const labels = { listener: 'udp', reason: 'backend-unreachable' };
  await daemon.metricSettles('sluice_datagrams_dropped_total', labels, (sum) => sum === 1);
  t.same(client.received.past, [], 'no client gets its own datagram back');
}

async function isDown(t: Test, daemon: Daemon): Promise<void> {
  const all = Object.keys(HOSTS).map((backend) => ['tcp-probed', backend] as const);
  for (const [pool, backend] of [...all, ['udp-probed', 'loopback'] as const]) {
    const its = (record: LogRecord): boolean =>
      record['pool'] === pool && record['backend'] === backend;
    t.equal((await daemon.event('backend-down', its))['cause'], 'refused', `${pool} ${backend}`);
    t.same(daemon.eventsNamed('backend-up', its), []);
  }
}

/** Connections in TIME_WAIT (06) whose ends have one name: proc(5), /proc/net/tcp. */
function metThemselves(): readonly string[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => /: (\S+) \1 06 /.test(line)),
  );
}

async function servesWhenItReturns(
  t: Test,
  daemon: Daemon,
  folder: string,
  port: number,
): Promise<void> {
  // A backend that is there has the port for itself: connect(2) needs another one.
  writeFileSync(RANGE_FILE, `${port} ${port + 100}`);
  const server = createServer((socket) => socket.end('back'));
  await new Promise<void>((resolve) => server.listen(port, HOSTS.own, resolve));
  t.teardown(() => server.close());
  const client = await dial(t, { port: 0, path: join(folder, 'own') });
  t.equal((await client.readAll()).text, 'back');
  await daemon.event('backend-up', ({ backend }) => backend === 'own');
}
