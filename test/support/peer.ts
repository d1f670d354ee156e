/** Clients and backends of engine tests: sockets that are read byte by byte, and never surprise. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Endpoint, ipEndpoint } from '../../src/core/endpoint.js';
import { within } from './deadline.js';
import { freePort } from './places.js';

export const LOOPBACK: Endpoint = ipEndpoint(4, '127.0.0.1', 0);
export const LOOPBACK_6: Endpoint = ipEndpoint(6, '::1', 0);

const PIECE_BYTES = 16_384;

/** One end of a connection. Everything that comes is kept until it is taken. */
export class Peer {
  readonly socket: Socket;
  #unread: Buffer = Buffer.alloc(0);
  #state: 'open' | 'ended' | 'closed' | 'reset' = 'open';
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      this.#wake();
    });
    socket.on('end', () => this.#maybeEnded());
    socket.on('error', () => this.#become('reset'));
    socket.on('close', () => {
      if (this.#state !== 'reset') this.#become('closed');
    });
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** Sends FIN; the other direction stays open. */
  finish(bytes: Uint8Array | string = ''): void {
    this.socket.end(bytes);
  }

  /** Sends `bytes` and FIN piece by piece, each when the kernel has taken the one before. */
  pour(bytes: Uint8Array): { readonly takenBytes: number } {
    const flow = { takenBytes: 0 };
    const next = (): void => {
      if (this.socket.destroyed) return;
      const piece = bytes.subarray(flow.takenBytes, flow.takenBytes + PIECE_BYTES);
      if (piece.length === 0) {
        this.socket.end();
        return;
      }
      this.socket.write(piece, (error) => {
        if (error) return;
        flow.takenBytes += piece.length;
        next();
      });
    };
    next();
    return flow;
  }

  /** Sends RST (TCP) behind what has left this process. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Waits for the next `count` bytes and takes them. */
  async take(count: number): Promise<Buffer> {
    await this.#until(`${count} bytes`, () => this.#unread.length >= count || this.#over());
    const taken = this.#unread.subarray(0, count);
    this.#unread = this.#unread.subarray(count);
    return taken;
  }

  async takeText(count: number): Promise<string> {
    return (await this.take(count)).toString('latin1');
  }

  /** Waits for FIN and takes everything before it; an error if a reset comes instead. */
  async rest(): Promise<Buffer> {
    await this.#until('the end', () => this.#over());
    if (this.#state === 'reset') throw new Error(`reset after ${this.#unread.length} bytes`);
    return this.take(this.#unread.length);
  }

  /** Waits until the other side has ended, and says how. */
  async ending(): Promise<'ended' | 'reset'> {
    await this.#until('an ending', () => this.#over());
    return this.#state === 'reset' ? 'reset' : 'ended';
  }

  /** Waits until the socket is gone, and says whether that was a reset. */
  async resetComes(): Promise<boolean> {
    await this.#until('a reset', () => this.#state === 'reset' || this.#state === 'closed');
    return this.#state === 'reset';
  }

  /** Bytes that came and were not taken. */
  get unread(): number {
    return this.#unread.length;
  }

  /**
   * libuv calls a reset that comes together with data an end of stream: only writing distinguishes
   * them. Nothing can be asked of a socket that has finished itself.
   */
  #maybeEnded(): void {
    if (this.socket.writableEnded || this.socket.writableLength > 0) this.#become('ended');
    else this.socket.write('', (error) => error || this.#become('ended'));
  }

  #over(): boolean {
    return this.#state !== 'open';
  }

  #become(state: 'ended' | 'closed' | 'reset'): void {
    this.#state = state;
    this.#wake();
  }

  #until(what: string, reached: () => boolean): Promise<void> {
    return within(
      `${what} (${this.#unread.length} bytes are unread, the connection is ${this.#state})`,
      new Promise((resolve) => {
        this.#wake = () => {
          if (reached()) resolve();
        };
        this.#wake();
      }),
    );
  }
}

/** Connects; resolves when the connection is established. */
export async function connectPeer(target: Endpoint): Promise<Peer> {
  const peer = startPeer(target);
  const { socket } = peer;
  await within(
    'a connection',
    new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject)),
  );
  return peer;
}

/** Begins to connect; a failure is in `ending`. */
export function startPeer(target: Endpoint): Peer {
  return new Peer(
    target.kind === 'unix'
      ? connect({ path: target.path, allowHalfOpen: true })
      : connect({ host: target.host, port: target.port, allowHalfOpen: true, noDelay: true }),
  );
}

/** A listening socket whose connections are handed out in the order in which they came. */
export class PeerServer {
  readonly endpoint: Endpoint;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #arrived: Peer[] = [];
  readonly #waiting: ((peer: Peer) => void)[] = [];
  #serve: ((peer: Peer) => void) | null = null;

  private constructor(server: Server, endpoint: Endpoint) {
    this.#server = server;
    this.endpoint = endpoint;
    this.#sockets = new Set();
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      const peer = new Peer(socket);
      if (this.#serve) {
        this.#serve(peer);
        return;
      }
      const next = this.#waiting.shift();
      if (next) next(peer);
      else this.#arrived.push(peer);
    });
  }

  static async listen(local: Endpoint): Promise<PeerServer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const options =
      local.kind === 'unix' ? { path: local.path } : { host: local.host, port: local.port };
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(options, resolve);
    });
    const address = server.address();
    const endpoint =
      local.kind === 'ip' && address !== null && typeof address === 'object'
        ? ipEndpoint(local.family, local.host, address.port)
        : local;
    return new PeerServer(server, endpoint);
  }

  /** The next connection that was not handed out yet. */
  next(): Promise<Peer> {
    const arrived = this.#arrived.shift();
    if (arrived) return Promise.resolve(arrived);
    return within('a connection', new Promise((resolve) => this.#waiting.push(resolve)));
  }

  /** Hands every later connection to `serve` instead of to `next`. */
  serve(serve: (peer: Peer) => void): void {
    this.#serve = serve;
  }

  /** Sends FIN on every connection that is open. */
  finishAll(): void {
    for (const socket of this.#sockets) socket.end();
  }

  /** Stops listening; what is open stays open. */
  deafen(): void {
    this.#server.close();
  }

  /** Stops listening and destroys what is open. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** An endpoint that refuses: no other process gets its port. */
export async function refusingEndpoint(): Promise<Endpoint> {
  return ipEndpoint(4, '127.0.0.1', await freePort());
}
