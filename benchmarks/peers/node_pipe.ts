/**
 * The bare Node.js pipe, the least that could be written with `net` and `dgram`: no policy but
 * turns, no limits, no health, no counters, no half-close.
 * Run: `node node_pipe.js TCP_PORT UDP_PORT UDP_BACKEND TCP_BACKEND…`
 */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

const [tcpPort = 0, udpPort = 0, udpBackend = 0, ...tcpBackends] = process.argv
  .slice(2)
  .map(Number);
const host = '127.0.0.1';
let turn = 0;

createServer({ noDelay: true, keepAlive: true }, (client) => {
  const port = tcpBackends[turn++ % tcpBackends.length] ?? 0;
  const backend = connect({ host, port, noDelay: true, keepAlive: true });
  client.on('error', () => backend.resetAndDestroy());
  backend.on('error', () => client.resetAndDestroy());
  client.pipe(backend).pipe(client);
}).listen({ host, port: tcpPort, backlog: 4096 });

const flows = new Map<number, DatagramSocket>();
const listener = createSocket('udp4');
listener.on('message', (datagram, from) => {
  const flow = flows.get(from.port);
  if (flow === undefined) openFlow(from.port, datagram);
  else flow.send(datagram);
});
listener.bind(udpPort, host);

function openFlow(client: number, first: Buffer): void {
  const flow = createSocket('udp4');
  flow.on('message', (datagram) => listener.send(datagram, client, host));
  flow.connect(udpBackend, host, () => {
    flows.set(client, flow);
    flow.send(first);
  });
}
