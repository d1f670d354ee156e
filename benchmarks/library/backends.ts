/**
 * HTTP backends that cost as little as they can: each request is answered by the port of its
 * backend, after the delay of that. Arguments: ports, 0 for a free one.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Delays, tell } from './messages.js';

const END = '\r\n\r\n';

let delaysMs: readonly number[] = [];
process.on('message', (told: Delays) => {
  delaysMs = told.delaysMs;
});

const asked = process.argv.slice(2).map(Number);
const servers = await Promise.all(asked.map(listening));
tell({ ports: servers.map((server) => (server.address() as AddressInfo).port) });

function listening(port: number, index: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, (socket) => serve(socket, index));
    server.listen({ port, host: '127.0.0.1', backlog: 4096 }, () => resolve(server));
  });
}

function serve(socket: Socket, index: number): void {
  const body = String(socket.localPort);
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: keep-alive`;
  const answer = `${head}${END}${body}`;
  socket.on('error', () => {}).setEncoding('latin1');
  let rest = '';
  socket.on('data', (chunk) => {
    const parts = (rest + String(chunk)).split(END);
    rest = parts.pop() ?? '';
    const delayMs = delaysMs[index] ?? 0;
    for (const _ of parts) {
      if (delayMs === 0) socket.write(answer);
      else setTimeout(() => socket.write(answer), delayMs);
    }
  });
}
