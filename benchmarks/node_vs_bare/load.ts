/**
 * The load: clients that wait for each answer, and the backend that echoes. Clients read into one
 * buffer each, so that the core of the load is busy later than the core of the proxy.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Order, tell } from './messages.js';

interface Counter {
  count: number;
  running: 'yes' | 'no';
}

const backend = createServer({ noDelay: true }, (socket) => {
  socket.on('data', (bytes) => socket.write(bytes));
  socket.on('error', () => {});
});
backend.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  tell({ port: (backend.address() as AddressInfo).port });
});

process.on('message', (order: Order) => {
  const counter: Counter = { count: 0, running: 'yes' };
  const start = order.work === 'exchange' ? startExchanges : startSessions;
  for (let i = 0; i < order.connections; i++) start(order, counter);
  setTimeout(() => measure(order, counter), order.warmUpMs);
});

function measure(order: Order, counter: Counter): void {
  tell({ kind: 'begin' });
  const began = performance.now();
  counter.count = 0;
  setTimeout(() => {
    const { count } = counter;
    counter.running = 'no';
    tell({ kind: 'end', count, elapsedMs: performance.now() - began });
  }, order.measureMs);
}

/** One connection that sends the payload again as soon as it has come back. */
function startExchanges(order: Order, counter: Counter): void {
  const payload = Buffer.alloc(order.payloadBytes, 'x');
  const socket = open(order, () => {
    counter.count++;
    if (counter.running === 'yes') socket.write(payload);
    else socket.end();
  });
  socket.write(payload);
}

/** One connection after the other, each with one exchange; the next begins when one has ended. */
function startSessions(order: Order, counter: Counter): void {
  if (counter.running === 'no') return;
  const socket = open(order, () => socket.end());
  socket.on('close', () => {
    counter.count++;
    startSessions(order, counter);
  });
  socket.write(Buffer.alloc(order.payloadBytes, 'x'));
}

function open(order: Order, answered: () => void): Socket {
  let missingBytes = order.payloadBytes;
  const callback = (count: number): boolean => {
    missingBytes -= count;
    if (missingBytes > 0) return true;
    missingBytes = order.payloadBytes;
    answered();
    return true;
  };
  const socket = connect({
    port: order.port,
    host: '127.0.0.1',
    noDelay: true,
    onread: { buffer: Buffer.alloc(Math.max(64, order.payloadBytes)), callback },
  });
  return socket.on('error', () => {});
}
