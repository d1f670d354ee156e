/**
 * The least that could be written: a server of node:net that only pipes. Argument: backend's port.
 */
import { type AddressInfo, connect, createServer } from 'node:net';
import { tell } from './messages.js';

const backendPort = Number(process.argv[2]);
const server = createServer((client) => {
  const backend = connect(backendPort, '127.0.0.1');
  client.on('error', () => backend.destroy());
  backend.on('error', () => client.destroy());
  client.pipe(backend).pipe(client);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  tell({ port: (server.address() as AddressInfo).port });
});
