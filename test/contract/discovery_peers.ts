/** What stands behind each kind of source in its contract: it reports the truth, or goes wrong. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { DecodedPacket } from 'dns-packet';
import type { SourceFailure, SourceKind, SourceSpec } from '../../src/core/discovery_spec.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { fastTime } from '../support/fast_time.js';
import { type Scope, tempFolder } from '../support/places.js';
import { FakeConsul, instance } from '../support/servers/fake_consul.js';
import {
  answering,
  nxdomain,
  servfail,
  startFakeDns,
  truncated,
} from '../support/servers/fake_dns.js';
import { FakeEtcd } from '../support/servers/fake_etcd.js';
import { FakeKubernetes, kubeconfigOf, ready, slice } from '../support/servers/fake_kubernetes.js';
import { closeServer, trackSockets } from '../support/servers/tracked.js';
import { type Wrong, type WrongMap, wrongServer } from '../support/servers/wrong_http.js';

/** Ten seconds of a source are a second of the test. */
export const TIMES = 10;

export interface SourcePeer {
  /** As many as an answer can hold. */
  readonly most: number;
  /** What leads to a socket of this machine in place of a host; null: nothing can. */
  readonly socket: string | null;
  /** From now on those are the members: hosts at port 5432. */
  tell(hosts: readonly string[]): void;
  /** How it can go wrong, and what the failure is called then. */
  readonly wrong: ReadonlyMap<
    Wrong,
    { readonly begin: () => void; readonly failure: SourceFailure }
  >;
}

/** One that the file knows. */
export interface Peer extends SourcePeer {
  readonly spec: SourceSpec;
}

export const PORT = 5_432;

/** `3` of 10.0.0.3:5432 */
export function lastByte(address: string): string {
  return address.replace(/^10\.0\.\d+\.(\d+):5432$/, '$1');
}

/** One for each kind: the compiler asks for it. */
export const PEERS: Readonly<Record<SourceKind, (t: Scope) => Promise<Peer>>> = {
  dns: dnsPeer,
  file: filePeer,
  http: httpPeer,
  etcd: etcdPeer,
  consul: consulPeer,
  kubernetes: kubernetesPeer,
  sentinel: sentinelPeer,
  patroni: patroniPeer,
};

async function dnsPeer(t: Scope): Promise<Peer> {
  const server = await startFakeDns(t);
  const wrong: WrongMap = new Map();
  const goes = (name: Wrong, failure: SourceFailure, reply: typeof server.reply): void => {
    const begin = (): void => {
      server.reply = reply;
    };
    wrong.set(name, { begin, failure });
  };
  goes('error', 'refused', servfail);
  goes('garbage', 'malformed', () => Buffer.from('no DNS at all'));
  goes('half', 'malformed', (query) =>
    answering(query, answers(query, ['10.0.0.1'])).subarray(0, -3),
  );
  goes('mute', 'timeout', () => null);
  // The rest is said to come over TCP, and does not.
  goes('endless', 'timeout', (query, over) => (over === 'udp' ? truncated(query) : null));
  return {
    // A message over TCP has 65,535 bytes at most.
    most: 2_000,
    socket: null,
    spec: {
      kind: 'dns',
      name: 'pg.test',
      records: 'addresses',
      port: PORT,
      servers: [ipEndpoint(4, '127.0.0.1', server.port)],
      minRefreshMs: 250,
      maxRefreshMs: 300_000,
    },
    tell: (hosts) => {
      server.reply = (query, over) => {
        // More than a datagram holds comes over TCP.
        if (hosts.length > 50 && over === 'udp') return truncated(query);
        return hosts.length === 0 ? nxdomain(query) : answering(query, answers(query, hosts));
      };
    },
    wrong,
  };
}

function answers({ questions = [] }: DecodedPacket, hosts: readonly string[]) {
  const [question] = questions;
  if (question?.type !== 'A') return [];
  return hosts.map((data) => ({ type: 'A' as const, name: question.name, ttl: 0, data }));
}

async function filePeer(t: Scope): Promise<Peer> {
  const folder = tempFolder(t);
  const path = join(folder, 'members.json');
  const put = (text: string | Buffer): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  return {
    most: 10_000,
    socket: 'unix:/run/x.sock',
    spec: { kind: 'file', path },
    tell: (hosts) => put(listOf(hosts)),
    wrong: new Map([
      ['gone', { begin: () => rmSync(path), failure: 'unreachable' }],
      ['garbage', { begin: () => put(Buffer.of(0xff, 0xfe, 0x00)), failure: 'malformed' }],
      ['error', { begin: () => put('[{"targets": ["10.0.0.1"]}]'), failure: 'malformed' }],
      [
        'half',
        { begin: () => put(listOf(['10.0.0.1', '10.0.0.2']).slice(0, -9)), failure: 'malformed' },
      ],
      ['endless', { begin: () => put(' '.repeat(5_000_000)), failure: 'too-much' }],
      ['mute', { begin: () => silentPipe(t, path), failure: 'unreachable' }],
    ]),
  };
}

/** A reader has it open, and it has no writer. */
function silentPipe(t: Scope, path: string): void {
  rmSync(path);
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.teardown(() => closeSync(fd));
}

function listOf(hosts: readonly string[]): string {
  return JSON.stringify([{ targets: hosts.map((host) => `${host}:${PORT}`), labels: {} }]);
}

async function httpPeer(t: Scope): Promise<Peer> {
  const server = await wrongServer(t);
  return {
    most: 10_000,
    socket: 'unix:/run/x.sock',
    spec: {
      kind: 'http',
      url: `${server.origin}/members`,
      intervalMs: 1_000,
      tokenFile: null,
      caFile: null,
    },
    tell: (hosts) => server.says(listOf(hosts)),
    wrong: server.wrong,
  };
}

async function patroniPeer(t: Scope): Promise<Peer> {
  const server = await wrongServer(t);
  const replica = (host: string) => ({
    name: host,
    role: 'replica',
    state: 'streaming',
    host,
    port: PORT,
    lag: 0,
  });
  return {
    most: 10_000,
    socket: 'unix:/run/x.sock',
    spec: {
      kind: 'patroni',
      urls: [server.origin],
      role: 'replica',
      maxLagBytes: 0,
      caFile: null,
    },
    tell: (hosts) => server.says(JSON.stringify({ members: hosts.map(replica) })),
    wrong: server.wrong,
  };
}

async function consulPeer(t: Scope): Promise<Peer> {
  const server = await wrongServer(t);
  const consul = new FakeConsul(fastTime(TIMES).timers);
  server.leaves(() => consul.release());
  return {
    most: 10_000,
    socket: 'unix:/run/x.sock',
    spec: {
      kind: 'consul',
      url: server.origin,
      service: 'pg',
      tag: null,
      consistency: 'default',
      tokenFile: null,
      caFile: null,
    },
    tell: (hosts) => {
      consul.tell(hosts.map((host) => instance(host, PORT)));
      server.serves(consul.handle);
    },
    wrong: server.wrong,
  };
}

async function etcdPeer(t: Scope): Promise<Peer> {
  const server = await wrongServer(t);
  const etcd = new FakeEtcd();
  server.leaves(() => etcd.release());
  return {
    most: 10_000,
    socket: 'unix:/run/x.sock',
    spec: {
      kind: 'etcd',
      urls: [server.origin],
      prefix: '/pg/',
      user: null,
      passwordFile: null,
      caFile: null,
    },
    tell: (hosts) => {
      etcd.put(new Map(hosts.map((host) => [`/pg/${host}`, `${host}:${PORT}`])));
      server.serves(etcd.handle);
    },
    wrong: server.wrong,
  };
}

async function kubernetesPeer(t: Scope): Promise<Peer> {
  const server = await wrongServer(t);
  const api = new FakeKubernetes(fastTime(TIMES).timers);
  server.leaves(() => api.release());
  const kubeconfig = join(tempFolder(t), 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(server.origin, 'token: secret'));
  return {
    most: 5_000,
    socket: 'unix:/run/x.sock',
    spec: {
      kind: 'kubernetes',
      namespace: 'db',
      service: 'pg',
      port: 'postgres',
      kubeconfig,
      zone: null,
    },
    tell: (hosts) => {
      // Two slices, as a service of many endpoints has.
      const half = hosts.length >> 1;
      api.put(slice('pg-1', hosts.slice(0, half).map(ready), PORT));
      api.put(slice('pg-2', hosts.slice(half).map(ready), PORT));
      server.serves(api.handle);
    },
    wrong: server.wrong,
  };
}

/** RESP2, and the fields of SENTINEL MASTER and SENTINEL REPLICAS (Redis' documentation). */
async function sentinelPeer(t: Scope): Promise<Peer> {
  const state: { answer: (socket: Socket) => void } = { answer: (socket) => socket.end() };
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    // A subscriber gets nothing.
    socket.on('data', (bytes) => {
      if (bytes.includes('MASTER')) state.answer(socket);
    });
  });
  const sockets = trackSockets(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => closeServer(server, sockets));
  const { port } = server.address() as { readonly port: number };
  const wrong: WrongMap = new Map();
  const goes = (name: Wrong, failure: SourceFailure, answer: (socket: Socket) => void): void => {
    const begin = (): void => {
      state.answer = answer;
    };
    wrong.set(name, { begin, failure });
  };
  goes('error', 'refused', (socket) =>
    socket.write('-ERR No such master with that name\r\n'.repeat(2)),
  );
  goes('garbage', 'malformed', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  goes('half', 'malformed', (socket) => socket.end(sentinelText(['10.0.0.1']).slice(0, -9)));
  goes('endless', 'too-much', (socket) => {
    const more = (): void => {
      if (!socket.destroyed) socket.write(Buffer.alloc(1_000_000), more);
    };
    socket.write('$999999999\r\n', more);
  });
  goes('mute', 'timeout', () => {});
  goes('gone', 'unreachable', (socket) => socket.resetAndDestroy());
  return {
    most: 3_000,
    socket: 'unix:/run/x.sock',
    spec: {
      kind: 'sentinel',
      addresses: [ipEndpoint(4, '127.0.0.1', port)],
      master: 'mymaster',
      role: 'replica',
      passwordFile: null,
    },
    tell: (hosts) => {
      state.answer = (socket) => socket.write(sentinelText(hosts));
    },
    wrong,
  };
}

function sentinelText(replicas: readonly string[]): string {
  const fields = (ip: string, flags: string): string =>
    array(['ip', ip, 'port', String(PORT), 'flags', flags, 'config-epoch', '1'].map(bulk));
  const all = replicas.map((host) => fields(host, 'slave'));
  return fields('10.9.9.9', 'master') + array(all);
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

function array(items: readonly string[]): string {
  return `*${items.length}\r\n${items.join('')}`;
}
