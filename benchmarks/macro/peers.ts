/** The proxies that are compared: their configurations filled in, started on their own core. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../../test/support/deadline.js';
import { freePort, tempFolder } from '../../test/support/places.js';
import { Child } from '../../test/support/process.js';
import { repositoryRoot } from '../../test/support/repository.js';
import { program } from '../../test/support/require_server.js';
import type { Ready, Target } from '../load/protocol.js';
import { processTree } from '../load/watch.js';
import type { Endings } from '../support/endings.js';
import { PROXY_CORE } from './cores.js';
import { type Front, haproxyFront, nginxFront, sluiceFront } from './fronts.js';
import { fillIn } from './template.js';

export const PEERS = {
  direct: 'no proxy',
  haproxy: 'HAProxy, 1 thread',
  'haproxy-splice': 'HAProxy, 1 thread, splice',
  nginx: 'nginx stream, 1 worker',
  uring: 'sluice `uring`, 1 worker',
  node: 'sluice `node`, 1 worker',
  listed: 'sluice `uring`, 1,000,000 blocks denied',
  aware: 'sluice `uring` with `[postgres]`',
  pipe: 'bare Node.js pipe',
  before: 'sluice of the other checkout',
} as const;

export type PeerName = keyof typeof PEERS;
export const PEER_NAMES = Object.keys(PEERS) as PeerName[];

/** RLIMIT_NOFILE of every process. */
export const OPEN_FILES = 20_000;

const TEMPLATES = join(repositoryRoot, 'benchmarks/peers');
const NGINX_STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

const SPLICE = ['splice-auto', 'splice-request', 'splice-response'];

export interface Peer {
  readonly name: PeerName;
  readonly tcp: Target;
  readonly udp: Target;
  /** Its processes; none for `direct`. */
  readonly pids: readonly number[];
}

/** Built, and started as the peer `before`. */
export interface OtherCheckout {
  readonly folder: string;
  readonly engine: 'uring' | 'node';
}

interface Ports {
  readonly tcp: number;
  readonly udp: number;
  readonly metrics: number;
}

interface Start {
  readonly command: string;
  readonly args: readonly string[];
}

export interface PeerSetup {
  readonly backends: Ready;
  /** The peer `before`. */
  readonly other: OtherCheckout | null;
  /** Of all peers but those that are there for a front of their own. */
  readonly front: Front;
}

const OWN_FRONTS: Partial<Record<PeerName, Front>> = { listed: 'listed', aware: 'postgres' };

/** Starts a peer and resolves when it serves; it ends with `scope`. */
export async function startPeer(scope: Endings, name: PeerName, setup: PeerSetup): Promise<Peer> {
  const { backends } = setup;
  const target = (protocol: 'tcp' | 'udp', ports: readonly number[]): Target => ({
    protocol,
    ports,
  });
  if (name === 'direct') {
    const tcp = target('tcp', backends.tcpPorts);
    return { name, tcp, udp: target('udp', [backends.udpPort]), pids: [] };
  }
  const ports = { tcp: await freePort(), udp: await freePort(), metrics: await freePort() };
  const front = OWN_FRONTS[name] ?? setup.front;
  const { command, args } = await startOf(name, tempFolder(scope), ports, { ...setup, front });
  const { pids } = await startServing(scope, command, args, ports.tcp);
  return { name, tcp: target('tcp', [ports.tcp]), udp: target('udp', [ports.udp]), pids };
}

/** A proxy that serves on a port of 127.0.0.1. */
export interface Serving {
  readonly port: number;
  readonly pids: readonly number[];
}

/** Starts a proxy on its core and resolves when `port` serves; it ends with `scope`. */
export async function startServing(
  scope: Endings,
  command: string,
  args: readonly string[],
  port: number,
): Promise<Serving> {
  const child = new Child('taskset', ['-c', String(PROXY_CORE), command, ...args], {
    openFiles: OPEN_FILES,
  });
  scope.teardown(() => (child.running ? child.stop('SIGTERM') : undefined));
  const serving = eventually(`${command} serves`, async () => {
    if (child.running) await knock(port);
    return true;
  });
  await Promise.race([serving, child.exited]);
  if (!child.running) throw new Error(child.stderr.past.slice(-3).join(' | '));
  return { port, pids: processTree(child.pid) };
}

async function startOf(
  name: PeerName,
  folder: string,
  ports: Ports,
  setup: PeerSetup,
): Promise<Start> {
  const { backends, other, front } = setup;
  switch (name) {
    case 'haproxy':
    case 'haproxy-splice': {
      const file = haproxyFile(folder, ports, setup, name === 'haproxy' ? [] : SPLICE);
      return { command: program('haproxy'), args: ['-db', '-f', file] };
    }
    case 'nginx': {
      const args = ['-p', folder, '-e', 'stderr', '-c', nginxFile(folder, ports, setup)];
      return { command: program('nginx'), args };
    }
    case 'uring':
    case 'node':
      return sluice(repositoryRoot, await sluiceFile(folder, ports, setup, name));
    case 'listed':
    case 'aware':
      return sluice(repositoryRoot, await sluiceFile(folder, ports, setup, 'uring'));
    case 'before':
      if (other === null) throw new Error('no other checkout was named (--before FOLDER)');
      return sluice(other.folder, await sluiceFile(folder, ports, setup, other.engine));
    default: {
      if (front !== 'plain') throw new Error(`the pipe has nothing like "${front}"`);
      const script = join(import.meta.dirname, '../peers/node_pipe.js');
      const numbers = [ports.tcp, ports.udp, backends.udpPort, ...backends.tcpPorts];
      return { command: process.execPath, args: [script, ...numbers.map(String)] };
    }
  }
}

function sluice(checkout: string, file: string): Start {
  return { command: process.execPath, args: [join(checkout, 'bin/sluice'), 'run', '-c', file] };
}

function haproxyFile(
  folder: string,
  ports: Ports,
  { backends, front }: PeerSetup,
  options: readonly string[],
): string {
  return written(folder, 'haproxy.cfg', {
    TCP_PORT: String(ports.tcp),
    METRICS_PORT: String(ports.metrics),
    FRONT: haproxyFront(front),
    SPLICE: options.map((option) => `option ${option}`).join('\n  '),
    SERVERS: backends.tcpPorts.map((port, i) => `server s${i} 127.0.0.1:${port}`).join('\n  '),
  });
}

function nginxFile(folder: string, ports: Ports, { backends, front }: PeerSetup): string {
  const { stream, server } = nginxFront(front);
  return written(folder, 'nginx.conf', {
    STREAM: stream,
    SERVER: server,
    FOLDER: folder,
    LOAD_MODULE: existsSync(NGINX_STREAM_MODULE) ? `load_module ${NGINX_STREAM_MODULE};` : '',
    USER: process.getuid?.() === 0 ? 'user root;' : '',
    TCP_PORT: String(ports.tcp),
    UDP_PORT: String(ports.udp),
    UDP_BACKEND: String(backends.udpPort),
    SERVERS: backends.tcpPorts
      .map((port) => `server 127.0.0.1:${port} max_fails=0;`)
      .join('\n    '),
  });
}

async function sluiceFile(
  folder: string,
  ports: Ports,
  { backends, front }: PeerSetup,
  engine: string,
): Promise<string> {
  const { pool, lines } = await sluiceFront(front, folder);
  return written(folder, 'sluice.toml', {
    POOL: pool,
    FRONT: lines,
    ENGINE: engine,
    TCP_PORT: String(ports.tcp),
    UDP_PORT: String(ports.udp),
    UDP_BACKEND: String(backends.udpPort),
    METRICS_PORT: String(ports.metrics),
    SERVERS: backends.tcpPorts
      .map((port) => `[[pools.pool.backends]]\naddress = "127.0.0.1:${port}"`)
      .join('\n'),
  });
}

function written(folder: string, name: string, values: Readonly<Record<string, string>>): string {
  const file = join(folder, name);
  writeFileSync(file, fillIn(readFileSync(join(TEMPLATES, name), 'utf8'), values));
  return file;
}

/** One connection, closed again. */
function knock(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.resetAndDestroy();
      resolve();
    });
  });
}
