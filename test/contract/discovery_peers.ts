/** What stands behind each kind of source in its contract: it tells the truth, or goes wrong. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { DecodedPacket } from 'dns-packet';
import type { SourceFailure, SourceKind, SourceSpec } from '../../src/core/discovery_spec.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { type Scope, tempFolder } from '../support/places.js';
import {
  answering,
  nxdomain,
  servfail,
  startFakeDns,
  truncated,
} from '../support/servers/fake_dns.js';
import { closeServer, trackSockets } from '../support/servers/tracked.js';

export type Wrong = 'error' | 'garbage' | 'half' | 'endless' | 'mute' | 'redirects' | 'gone';

export interface Peer {
  /** As many as an answer can hold. */
  readonly most: number;
  readonly spec: SourceSpec;
  /** From now on those are the members: hosts at port 5432. */
  tell(hosts: readonly string[]): void;
  /** How it can go wrong, and what the failure is called then. */
  readonly wrong: ReadonlyMap<
    Wrong,
    { readonly begin: () => void; readonly failure: SourceFailure }
  >;
}

type WrongMap = Map<Wrong, { readonly begin: () => void; readonly failure: SourceFailure }>;

const PORT = 5_432;

/** One for each kind: the compiler asks for it. */
export const PEERS: Readonly<Record<SourceKind, (t: Scope) => Promise<Peer>>> = {
  dns: dnsPeer,
  file: filePeer,
  http: httpPeer,
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
      ['mute', { begin: () => silentPipe(t, path), failure: 'timeout' }],
    ]),
  };
}

/** Somebody has it open and writes nothing. */
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
  type Handler = (request: IncomingMessage, response: ServerResponse) => void;
  const state: { handler: Handler } = { handler: () => {} };
  const server = createServer((request, response) => state.handler(request, response));
  const sockets = trackSockets(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => closeServer(server, sockets));
  const port = (server.address() as { readonly port: number }).port;
  const goes = (failure: SourceFailure, handler: Handler) => ({
    failure,
    begin: () => {
      state.handler = handler;
    },
  });
  return {
    most: 10_000,
    spec: {
      kind: 'http',
      url: `http://127.0.0.1:${port}/members`,
      intervalMs: 1_000,
      tokenFile: null,
      caFile: null,
    },
    tell: (hosts) => {
      state.handler = (_, response) => {
        response.setHeader('content-type', 'application/json').end(listOf(hosts));
      };
    },
    wrong: new Map([
      ['error', goes('refused', (_, response) => response.writeHead(503).end('[]'))],
      ['garbage', goes('malformed', (_, response) => response.end('<html>welcome</html>'))],
      [
        'half',
        goes('malformed', (_, response) => {
          response.writeHead(200, { 'content-length': 100 });
          response.write('[', () => response.destroy());
        }),
      ],
      [
        'endless',
        goes('too-much', (_, response) => {
          const more = (): void => {
            if (!response.destroyed) response.write(' '.repeat(1_000_000), more);
          };
          more();
        }),
      ],
      ['mute', goes('timeout', () => {})],
      [
        'redirects',
        goes('too-much', (_, response) => response.writeHead(302, { location: '/again' }).end()),
      ],
      ['gone', goes('unreachable', ({ socket }) => socket.resetAndDestroy())],
    ]),
  };
}
