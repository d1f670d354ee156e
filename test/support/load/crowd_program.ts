/**
 * A crowd in a process of its own: clients that never read from a backend that streams without end,
 * and clients that upload to a backend that never reads. Takes orders as lines of JSON and answers
 * each with one.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { pass } from '../deadline.js';

export type Order =
  | {
      readonly order: 'connect';
      readonly kind: Kind;
      readonly count: number;
      readonly port: number;
    }
  /** Answered when hardly a byte was taken from any client for a while. */
  | { readonly order: 'stand-still' }
  | { readonly order: 'leave'; readonly how: 'close' | 'reset' }
  /** Connections of both backends are closed. */
  | { readonly order: 'close-backends' };

/** `queued` sends `bytes` and then waits. */
export type Kind = 'never-reads' | 'uploads' | 'queued';

const QUEUED_BYTES = 65_536;
const CHUNK = Buffer.alloc(65_536, 'x');
const LOOK_MS = 250;
/** This many looks in a row. */
const STILL_LOOKS = 4;
/**
 * Less between two looks is hardly a byte. Where a crowd has used up what the machine allows for
 * sockets (net.ipv4.tcp_mem), kernels go on to take a little now and then, for minutes.
 */
const STILL_BYTES = 8 * 1_048_576;

const clients = new Set<Socket>();
const served = new Set<Socket>();
let movedBytes = 0;

/** Writes for as long as it is taken. */
function pour(socket: Socket): void {
  const write = (): void => {
    if (socket.destroyed) return;
    socket.write(CHUNK, (error) => {
      if (error) return;
      movedBytes += CHUNK.length;
      write();
    });
  };
  write();
}

function listen(serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    served.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => served.delete(socket));
    serve(socket);
  });
  return new Promise((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function join(kind: Kind, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    clients.add(socket);
    socket.pause();
    socket.once('error', reject);
    socket.on('close', () => clients.delete(socket));
    socket.once('connect', () => {
      socket.on('error', () => {});
      if (kind === 'uploads') pour(socket);
      if (kind === 'queued') socket.write(CHUNK.subarray(0, QUEUED_BYTES), () => resolve());
      else resolve();
    });
  });
}

async function standStill(): Promise<void> {
  let before = Number.NEGATIVE_INFINITY;
  for (let looks = 0; looks < STILL_LOOKS; ) {
    looks = movedBytes - before < STILL_BYTES ? looks + 1 : 0;
    before = movedBytes;
    await pass(LOOK_MS);
  }
}

async function obey(order: Order): Promise<void> {
  switch (order.order) {
    case 'connect': {
      for (let done = 0; done < order.count; done += 50) {
        const some = Math.min(50, order.count - done);
        await Promise.all(Array.from({ length: some }, () => join(order.kind, order.port)));
      }
      return;
    }
    case 'stand-still':
      return standStill();
    case 'leave':
      for (const socket of clients) {
        if (order.how === 'reset') socket.resetAndDestroy();
        else socket.destroy();
      }
      clients.clear();
      return;
    case 'close-backends':
      for (const socket of served) socket.destroy();
      return;
  }
}

const endless = await listen(pour);
const hung = await listen(() => {});
const say = (answer: unknown): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);
say({ endless: portOf(endless), hung: portOf(hung) });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    await obey(JSON.parse(line) as Order);
    say({ done: movedBytes, clients: clients.size });
  } catch (error) {
    say({ failed: String(error) });
  }
}
process.exit(0);
