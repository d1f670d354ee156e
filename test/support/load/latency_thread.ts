/**
 * A thread that asks and answers: an echo server at every address of this machine, sessions of its
 * own through a proxy, and as many straight to the server, which say how slow the machine is.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { nowMs, pass } from '../deadline.js';
import type { Latencies } from './latency_watch.js';
import { ThreadTimes } from './thread_times.js';

/** Between an answer and the next question. */
const PAUSE_MS = 2;

const asked = { worstMs: 0, straightMs: 0, busyMs: 0, answers: 0, broken: 0 };
let threads = new ThreadTimes([]);

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});
server.listen(0, '0.0.0.0');
await once(server, 'listening');
const { port: echoPort } = server.address() as AddressInfo;

type Message =
  | { readonly ports: readonly number[] }
  | { readonly paths: readonly string[] }
  | 'take';

parentPort?.on('message', async (message: Message) => {
  if (message === 'take') {
    parentPort?.postMessage({ ...asked } satisfies Latencies);
    Object.assign(asked, { worstMs: 0, straightMs: 0, busyMs: 0, answers: 0 });
    return;
  }
  if ('paths' in message) {
    threads = new ThreadTimes(message.paths);
    parentPort?.postMessage('following');
    return;
  }
  const straight = await Promise.all(message.ports.map(() => open(echoPort)));
  const sessions = await Promise.all(message.ports.map(open));
  for (const session of straight) {
    void ask(session, (ms) => {
      asked.straightMs = Math.max(asked.straightMs, ms);
    });
  }
  for (const session of sessions) {
    session.once('close', () => asked.broken++);
    void ask(session, (ms, busyMs) => {
      asked.worstMs = Math.max(asked.worstMs, ms);
      asked.busyMs = Math.max(asked.busyMs, busyMs);
      asked.answers++;
    });
  }
  parentPort?.postMessage('watching');
});
parentPort?.postMessage({ echoPort });

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write('?');
  await once(socket, 'data');
  return socket;
}

async function ask(socket: Socket, answered: (ms: number, busyMs: number) => void): Promise<void> {
  while (!socket.destroyed) {
    const fromMs = nowMs();
    const before = threads.usedMs();
    const answer = once(socket, 'data').then(
      () => 'answered',
      () => 'broken',
    );
    socket.write('?');
    if ((await answer) === 'broken') return;
    const used = threads.usedMs().map((ms, index) => ms - (before[index] ?? ms));
    answered(nowMs() - fromMs, Math.max(0, ...used));
    await pass(PAUSE_MS);
  }
}
