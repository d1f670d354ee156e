/**
 * Backends for the contract of probes: each follows a script, honestly or with one fault. They run
 * in the test's process, and a stopped one has closed everything that it had open.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type IpEndpoint, ipEndpoint } from '../../src/core/endpoint.js';

/** Sends `send` when `after` has been received, behind what the step before had waited for. */
export interface Step {
  readonly after: string;
  readonly send: Buffer;
}

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** What an honest backend says; `certificate`: it speaks TLS from the first byte. */
export interface Script {
  readonly steps: readonly Step[];
  readonly certificate?: Certificate;
}

export type Fault =
  | 'none'
  | 'one byte a time'
  | 'half an answer'
  | 'half an answer, then the end'
  | 'garbage'
  | 'silence'
  | 'endless data'
  | 'closing at once'
  | 'reset at once';

export interface Peer {
  readonly endpoint: IpEndpoint;
  /** Resolves when the peer has done all that it will do before the probe gives up. */
  readonly stalled: Promise<void>;
  /** Everything that was received (over TLS: within it) when the first connection has ended. */
  readonly received: Promise<Buffer>;
  stop(): Promise<void>;
}

const GARBAGE = Buffer.from('\x15\x03\xfe\xff\r\n\xc3\x28 nobody speaks this\r\n\r\n', 'latin1');
const ENDLESS = Buffer.alloc(16_384, 'A');

export async function startTcpPeer(script: Script, fault: Fault): Promise<Peer> {
  const sockets = new Set<Socket>();
  const stalled = gate<void>();
  const received = gate<Buffer>();
  const chunks: Buffer[] = [];
  const serve = (socket: Socket): void => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    misbehave(socket, script, fault, stalled.resolve);
  };
  const server = script.certificate === undefined || isRaw(fault) ? createServer(serve) : null;
  const secure = server ?? createTlsServer({ ...script.certificate }, serve);
  secure.on('connection', (socket: Socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      received.resolve(Buffer.concat(chunks));
    });
  });
  secure.on('tlsClientError', () => {});
  secure.listen({ host: '127.0.0.1', port: 0 });
  await once(secure, 'listening');
  return {
    endpoint: ipEndpoint(4, '127.0.0.1', (secure.address() as AddressInfo).port),
    stalled: stalled.promise,
    received: received.promise,
    stop: () => stop(secure, sockets),
  };
}

/** A UDP peer answers each datagram with what `answer` makes of it. */
export async function startUdpPeer(answer: (query: Buffer) => readonly Buffer[]): Promise<Peer> {
  const socket = createSocket('udp4');
  const stalled = gate<void>();
  const received = gate<Buffer>();
  socket.on('message', (query, { port, address }) => {
    received.resolve(query);
    for (const datagram of answer(query)) socket.send(datagram, port, address, () => {});
    stalled.resolve();
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    endpoint: ipEndpoint(4, '127.0.0.1', socket.address().port),
    stalled: stalled.promise,
    received: received.promise,
    stop: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** Faults below TLS: what they do comes in place of a handshake. */
function isRaw(fault: Fault): boolean {
  return !['none', 'one byte a time'].includes(fault);
}

function misbehave(socket: Socket, script: Script, fault: Fault, stalled: () => void): void {
  switch (fault) {
    case 'none':
      follow(socket, script, (bytes) => void socket.write(bytes), stalled);
      return;
    case 'one byte a time':
      follow(socket, script, dripper(socket));
      return;
    case 'half an answer':
    case 'half an answer, then the end':
      follow({ on: socket.on.bind(socket) }, script, (bytes) => {
        socket.write(bytes.subarray(0, bytes.length >> 1));
        if (fault === 'half an answer, then the end') socket.end();
        else stalled();
      });
      return;
    case 'garbage':
      socket.end(GARBAGE);
      return;
    case 'silence':
      stalled();
      return;
    case 'endless data':
      flood(socket);
      return;
    case 'closing at once':
      socket.end();
      return;
    case 'reset at once':
      socket.resetAndDestroy();
      return;
  }
}

/** Sends each step's bytes when its turn has come; a step after nothing is sent at once. */
function follow(
  socket: Pick<Socket, 'on'>,
  { steps }: Script,
  send: (bytes: Buffer) => void,
  done: () => void = () => {},
): void {
  let text = '';
  let from = 0;
  let step = 0;
  const next = (): void => {
    for (let turn = steps[step]; turn !== undefined; turn = steps[step]) {
      const at = text.indexOf(turn.after, from);
      if (at < 0) return;
      from = at + turn.after.length;
      step++;
      send(turn.send);
    }
    done();
  };
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    next();
  });
  next();
}

/** Sends byte after byte, each on its own turn of the event loop. */
function dripper(socket: Socket): (bytes: Buffer) => void {
  let left = Buffer.alloc(0);
  let busy = false;
  const one = (): void => {
    busy = left.length > 0 && !socket.destroyed;
    if (!busy) return;
    const byte = left.subarray(0, 1);
    left = left.subarray(1);
    socket.write(byte, () => setImmediate(one));
  };
  return (bytes) => {
    left = Buffer.concat([left, bytes]);
    if (!busy) one();
  };
}

function flood(socket: Socket): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(ENDLESS));
  };
  socket.on('drain', more);
  more();
}

async function stop(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const gone = [...sockets].map((socket) => once(socket, 'close'));
  for (const socket of sockets) socket.destroy();
  await Promise.all([closed, ...gone]);
}

interface Gate<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function gate<T>(): Gate<T> {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((open) => {
    resolve = open;
  });
  return { promise, resolve };
}
