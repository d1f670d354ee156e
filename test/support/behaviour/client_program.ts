/**
 * A client in the network of a proxy: takes questions on standard input, one JSON object a line,
 * and answers on standard output. Servers say their names (servers.ts).
 */
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { pass } from '../deadline.js';
import { type Question, type Reply, WHO } from './question.js';

const held = new Map<number, Socket>();

createInterface({ input: process.stdin })
  .on('line', (line) => take(JSON.parse(line) as Question))
  .on('close', () => process.exit(0));
console.log('ready');

function take(question: Question): void {
  switch (question.kind) {
    case 'release':
      held.get(question.of)?.destroy();
      held.delete(question.of);
      return tell({ id: question.id, name: null });
    case 'udp':
      return datagram(question);
    case 'tcp':
      return session(question);
  }
}

function session(question: Extract<Question, { kind: 'tcp' }>): void {
  const { id, host, port, path, from, begin, tls, hold } = question;
  const source = from === null ? {} : { localAddress: from };
  const raw = connect(path === null ? { host, port, ...source } : { path });
  const socket = tls ? connectTls({ socket: raw, rejectUnauthorized: false }) : raw;
  let text = '';
  let isTold = false;
  const answer = (name: string | null): void => {
    if (isTold) return;
    isTold = true;
    tell({ id, name });
    if (hold && name !== null) held.set(id, raw);
    else raw.destroy();
  };
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    const found = /I am (\S+)\n/.exec(text);
    if (found !== null) answer(found[1] ?? '');
  });
  // A proxy that has no backend for a client resets it, or closes.
  for (const one of [raw, socket])
    one.on('error', () => answer(null)).on('close', () => answer(null));
  socket.write(Buffer.concat([Buffer.from(begin, 'base64'), Buffer.from(WHO)]));
}

function datagram({ id, host, port, from }: Extract<Question, { kind: 'udp' }>): void {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  let isTold = false;
  const answer = (name: string | null): void => {
    if (isTold) return;
    isTold = true;
    tell({ id, name });
    socket.close();
  };
  socket.on('message', (bytes) => answer(/I am (\S+)\n/.exec(bytes.toString('latin1'))?.[1] ?? ''));
  socket.on('error', () => answer(null));
  socket.bind(0, from ?? undefined, () => socket.connect(port, host, () => socket.send(WHO)));
  // The loss of a datagram is not reported.
  void pass(LOST_AFTER_MS).then(() => answer(null));
}

const LOST_AFTER_MS = 1_000;

function tell(reply: Reply): void {
  console.log(JSON.stringify(reply));
}
