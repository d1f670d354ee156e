/**
 * The addresses that a pool dials from, in a network with eight source ports: one address of ours
 * has eight connections to one backend, and no more.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { Feed } from '../support/feed.js';
import { inOwnNetwork } from '../support/own_network.js';
import { freePort, tempFolder } from '../support/places.js';
import { listenerText, poolText, QUICK_HEALTH } from '../support/settings.js';
import { UdpPeer } from '../support/udp_peer.js';
import { dial, type Wire } from '../support/wire.js';

const RANGE_FILE = '/proc/sys/net/ipv4/ip_local_port_range';
const PORTS = 8;
const FEW_PORTS = `40000 ${40000 + PORTS - 1}`;
const NO_PROBE = 'probe = "none"\n';
const LATE = '192.0.2.77';
const TWO = 'source = ["127.0.0.2", "127.0.0.3", "2001:db8::3"]\nconnect_timeout = "500ms"';
const THREE = 'source = ["127.0.0.2", "192.0.2.1", "127.0.0.3", "127.0.0.4"]';

if (inOwnNetwork(import.meta.url)) {
  const manyPorts = readFileSync(RANGE_FILE, 'utf8');

  t.test('probes come from the first address', async (t) => {
    const tcp = await namingServer(t);
    const udp = await UdpPeer.open('127.0.0.1', await freePort());
    t.teardown(() => udp.close());
    udp.echo();
    const lines = 'source = ["127.0.0.5", "127.0.0.6"]';
    const udpHealth = QUICK_HEALTH.replace('"tcp"', '"udp"\nsend = "hello"');
    const there = [{ address: `127.0.0.1:${udp.endpoint.port}` }];
    const daemon = await startDaemon(t, {
      toml: [
        listenerText({ pool: 'tcp' }),
        listenerText({ pool: 'udp', protocol: 'udp' }),
        poolText({ name: 'tcp', backends: [tcp], lines }),
        poolText({ name: 'udp', backends: there, lines, health: udpHealth }),
      ].join('\n'),
    });
    await daemon.backendsUp('tcp', 1);
    await daemon.backendsUp('udp', 1);
    t.same([...new Set(tcp.peers.past)], ['127.0.0.5']);
    t.equal((await udp.next()).from.host, '127.0.0.5');
  });

  t.test('cancels of Postgres clients come from the first address, too', async (t) => {
    const server = await namingServer(t);
    const path = join(tempFolder(t), 'pg');
    await startDaemon(t, {
      toml:
        listenerText({ pool: 'pg', bind: `unix:${path}`, lines: 'postgres.cancel = "route"' }) +
        poolText({
          name: 'pg',
          backends: [server],
          lines: 'source = ["127.0.0.7", "127.0.0.8"]',
          health: NO_PROBE,
        }),
    });
    const client = await dial(t, { port: 0, path });
    await client.send(Buffer.from('0000001004d2162e0000000100000002', 'hex'));
    t.equal(await server.peers.next('a cancel', () => true), '127.0.0.7');
  });

  t.test('sessions have the ports of all addresses, to each backend', async (t) => {
    const servers = [await namingServer(t), await namingServer(t)] as const;
    const folder = tempFolder(t);
    const names = ['a', 'b'] as const;
    const toml = (lines: string): string =>
      names
        .map((name, at) => {
          const backends = servers.slice(at, at + 1);
          const listener = listenerText({ pool: name, bind: `unix:${join(folder, name)}` });
          return listener + poolText({ name, backends, lines, health: NO_PROBE });
        })
        .join('\n');
    const daemon = await startDaemon(t, { toml: toml(TWO), access: 'all' });
    await withFewPorts(async () => {
      for (const name of names) {
        const from = await sessions(t, join(folder, name), 2 * PORTS);
        t.same(from, { '127.0.0.2': PORTS, '127.0.0.3': PORTS }, `to backend ${name}`);
      }
      const late = await dial(t, { port: 0, path: join(folder, 'a') });
      t.equal((await late.readAll()).text, '', 'and not one more');
    });
    await isOurFault(t, daemon);
    t.equal((await daemon.reload(toml(THREE))).event, 'reloaded');
    await withFewPorts(async () => {
      const from = await sessions(t, join(folder, 'a'), PORTS);
      t.same(from, { '127.0.0.4': PORTS }, 'an address without ports, or not here, is passed over');
    });
  });

  t.test('flows have the ports of all addresses', async (t) => {
    const udp = await UdpPeer.open('127.0.0.1', await freePort());
    t.teardown(() => udp.close());
    udp.echo();
    const backends = [{ address: `127.0.0.1:${udp.endpoint.port}` }];
    const daemon = await startDaemon(t, {
      toml:
        listenerText({ pool: 'u', bind: '127.0.0.1:0', protocol: 'udp' }) +
        poolText({ name: 'u', backends, lines: TWO, health: NO_PROBE }),
    });
    const { port } = await daemon.address('u');
    const clients: UdpPeer[] = [];
    for (let made = 0; made <= 2 * PORTS; made++) clients.push(await UdpPeer.open());
    t.teardown(() => Promise.all(clients.map((client) => client.close())));
    const listener = { kind: 'ip', family: 4, host: '127.0.0.1', port } as const;
    await withFewPorts(async () => {
      for (const client of clients.slice(0, -1)) {
        client.send(listener, 'hello');
        t.equal(await client.text(), 'hello');
      }
      clients.at(-1)?.send(listener, 'one too many');
      const labels = { listener: 'u', reason: 'resource-limit' };
      await daemon.metricSettles('sluice_datagrams_dropped_total', labels, (sum) => sum === 1);
    });
    const hosts = udp.received.past.map(({ from }) => from.host);
    t.same(counts(hosts), { '127.0.0.2': PORTS, '127.0.0.3': PORTS });
  });

  t.test('without an address that is here clients learn why, and it is named', async (t) => {
    const server = await namingServer(t);
    const udp = await UdpPeer.open('127.0.0.1', await freePort());
    t.teardown(() => udp.close());
    udp.echo();
    const folder = tempFolder(t);
    const at = (pool: string): string => join(folder, pool);
    const only = `source = ["${LATE}"]\nconnect_timeout = "500ms"`;
    const listener = (pool: string) => listenerText({ pool, bind: `unix:${at(pool)}` });
    const there = [{ address: `127.0.0.1:${udp.endpoint.port}` }];
    const daemon = await startDaemon(t, {
      access: 'all',
      toml: [
        listener('bare'),
        poolText({ name: 'bare', backends: [server], lines: only, health: NO_PROBE }),
        listenerText({ pool: 'u', bind: '127.0.0.1:0', protocol: 'udp' }),
        poolText({ name: 'u', backends: there, lines: only, health: NO_PROBE }),
        listener('probed'),
        poolText({ name: 'probed', backends: [server], lines: only }),
        listener('two'),
        poolText({
          name: 'two',
          backends: [server],
          lines: `source = ["${LATE}", "127.0.0.4"]`,
        }),
        listener('six'),
        poolText({ name: 'six', backends: [{ address: '[::1]:9' }], lines: only }),
      ].join('\n'),
    });
    const missing = await daemon.event('source-missing');
    t.match(missing, { address: LATE, detail: 'bare, u, probed, two, six' });
    t.match(await daemon.event('source-unfit'), { pool: 'six', address: '[::1]:9' });
    t.match(missing, { remedy: /source/ });
    t.equal((await (await dial(t, { port: 0, path: at('bare') })).readAll()).text, '');
    const { outcome } = await daemon.event('session');
    t.match(outcome, { by: 'sluice', stage: 'dial', cause: 'no-source-address' });
    const client = await UdpPeer.open();
    t.teardown(() => client.close());
    const { port } = await daemon.address('u');
    client.send({ kind: 'ip', family: 4, host: '127.0.0.1', port }, 'hello');
    const labels = { listener: 'u', reason: 'no-source-address' };
    await daemon.metricSettles('sluice_datagrams_dropped_total', labels, (sum) => sum === 1);
    await daemon.backendsUp('two', 1);
    t.same(await sessions(t, at('two'), 4), { '127.0.0.4': 4 }, 'none fails for the other one');

    t.equal(spawnSync('ip', ['address', 'add', `${LATE}/32`, 'dev', 'lo']).status, 0);
    t.match(await daemon.event('source-back'), { address: LATE });
    await daemon.backendsUp('probed', 1);
    const wire = await dial(t, { port: 0, path: at('probed') });
    t.equal(await wire.readText(LATE.length), LATE);
  });

  async function withFewPorts(work: () => Promise<void>): Promise<void> {
    writeFileSync(RANGE_FILE, FEW_PORTS);
    try {
      await work();
    } finally {
      writeFileSync(RANGE_FILE, manyPorts);
    }
  }
}

interface NamingServer {
  readonly address: string;
  readonly peers: Feed<string>;
}

/** Sends each client its address, and keeps the connection. */
async function namingServer(t: Test): Promise<NamingServer> {
  const peers = new Feed<string>();
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    peers.push(socket.remoteAddress ?? '');
    socket.write(`${socket.remoteAddress}\n`);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${port}`, peers };
}

/** Opens this many and keeps them; how many came from which address. */
async function sessions(t: Test, path: string, count: number): Promise<Record<string, number>> {
  const wires: Wire[] = [];
  for (let made = 0; made < count; made++) wires.push(await dial(t, { port: 0, path }));
  const hosts = await Promise.all(wires.map((wire) => wire.readText('127.0.0.2\n'.length)));
  return counts(hosts.map((host) => host.trim()));
}

function counts(hosts: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const host of hosts) found[host] = (found[host] ?? 0) + 1;
  return found;
}

async function isOurFault(t: Test, daemon: Daemon): Promise<void> {
  const metrics = await daemon.metrics();
  t.ok(metrics.sum('sluice_dial_failures_total', { pool: 'a', reason: 'no-free-port' }) > 0);
  t.equal(metrics.sum('sluice_backend_eligible', { pool: 'a' }), 1, 'the backend is not to blame');
  const { outcome } = await daemon.event('session');
  t.match(outcome, { by: 'sluice', stage: 'dial', cause: 'resource-limit' });
}
