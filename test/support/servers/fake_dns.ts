/** A name server over UDP and TCP (RFC 1035, RFC 7766) whose replies a test decides. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { type Answer, type DecodedPacket, decode, encode, TRUNCATED_RESPONSE } from 'dns-packet';
import { freePort, type Scope } from '../places.js';
import { closeServer, trackSockets } from './tracked.js';

/** null: no reply. */
export type Reply = Buffer | null;

export interface FakeDns {
  readonly port: number;
  /** Over UDP; over TCP when it answers `truncated`. */
  reply: (query: DecodedPacket, over: 'udp' | 'tcp') => Reply;
  /** Goes on writing after a reply over TCP, without an end. */
  readonly queries: DecodedPacket[];
}

export async function startFakeDns(scope: Scope): Promise<FakeDns> {
  const port = await freePort();
  const udp: UdpSocket = createSocket('udp4');
  const tcp: Server = createServer();
  const sockets = trackSockets(tcp);
  const server: FakeDns = { port, reply: () => null, queries: [] };
  udp.on('message', (bytes, { port: from, address }) => {
    const query = decode(bytes);
    server.queries.push(query);
    const reply = server.reply(query, 'udp');
    if (reply !== null) udp.send(reply, from, address);
  });
  tcp.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const reply = server.reply(decode(bytes.subarray(2)), 'tcp');
      if (reply === null) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([length, reply]));
    });
  });
  udp.bind(port, '127.0.0.1');
  tcp.listen(port, '127.0.0.1');
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
  scope.teardown(async () => {
    udp.close();
    await closeServer(tcp, sockets);
  });
  return server;
}

const SERVFAIL = 2;
const NXDOMAIN = 3;

export function answering(query: DecodedPacket, answers: Answer[], authorities: Answer[] = []) {
  const { id = 0, questions = [] } = query;
  return encode({ type: 'response', id, flags: 0x180, questions, answers, authorities });
}

export function truncated(query: DecodedPacket): Buffer {
  const { id = 0, questions = [] } = query;
  return encode({ type: 'response', id, flags: 0x180 | TRUNCATED_RESPONSE, questions });
}

export function servfail(query: DecodedPacket): Buffer {
  const { id = 0, questions = [] } = query;
  return encode({ type: 'response', id, flags: 0x180 | SERVFAIL, questions });
}

export function nxdomain(query: DecodedPacket, authorities: Answer[] = []): Buffer {
  const { id = 0, questions = [] } = query;
  return encode({ type: 'response', id, flags: 0x180 | NXDOMAIN, questions, authorities });
}
