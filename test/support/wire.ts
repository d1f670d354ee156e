/**
 * One TCP connection in a test's hand, at either end: reads what it asks for, knows how it ended.
 */
import { createServer, type Server, Socket } from 'node:net';
import type { Test } from 'tap';
import { PATIENCE_MS, within } from './deadline.js';
import { Feed } from './feed.js';
import { freePort } from './places.js';

/** How the other side ended its direction: in order, or with an error's code (ECONNRESET …). */
export type Ending = 'fin' | (string & {});

export interface Target {
  readonly port: number;
  readonly host?: string;
  /** The client's own address, such as 127.0.0.7. */
  readonly localAddress?: string;
  /** Instead of host and port. */
  readonly path?: string;
}

export class Wire {
  readonly socket: Socket;
  /** Settles when the other side has ended its direction. */
  readonly ended: Promise<Ending>;
  /** Settles when the connection is gone in both directions. */
  readonly closed: Promise<Ending>;
  receivedBytes = 0;
  #buffered: Buffer[] = [];
  #wanted: (() => void) | null = null;
  #over: Ending | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    let failure: Ending | null = null;
    this.ended = new Promise((resolve) => {
      const over = (ending: Ending): void => {
        this.#over ??= ending;
        this.#wanted?.();
        resolve(this.#over);
      };
      // libuv calls a reset that comes together with data an end: only writing distinguishes them.
      socket.on('end', () => {
        if (socket.writableEnded) over('fin');
        else socket.write('', (error) => over((error as NodeJS.ErrnoException)?.code ?? 'fin'));
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        failure ??= error.code ?? error.message;
        over(failure);
      });
      socket.on('close', () => over(failure ?? 'fin'));
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve(failure ?? 'fin'));
    });
    socket.on('data', (chunk: Buffer) => {
      this.receivedBytes += chunk.length;
      this.#buffered.push(chunk);
      this.#wanted?.();
    });
  }

  /** Exactly `count` bytes, or an error when the connection ends before. */
  async read(count: number, limitMs = PATIENCE_MS): Promise<Buffer> {
    const enough = (): boolean => this.#length() >= count || this.#over !== null;
    await within(`${count} bytes`, this.#until(enough), limitMs);
    const all = Buffer.concat(this.#buffered);
    if (all.length < count) {
      throw new Error(`ended (${this.#over}) after ${all.length} of ${count} bytes`);
    }
    this.#buffered = [all.subarray(count)];
    return all.subarray(0, count);
  }

  async readText(count: number): Promise<string> {
    return (await this.read(count)).toString('latin1');
  }

  /** Everything up to the end of the other side's direction, and how that ended. */
  async readAll(limitMs = PATIENCE_MS): Promise<{ readonly text: string; readonly how: Ending }> {
    const how = await within('the end of the connection', this.ended, limitMs);
    const text = Buffer.concat(this.#buffered).toString('latin1');
    this.#buffered = [];
    return { text, how };
  }

  /**
   * Whether the other side's end was a reset. When the last bytes and the RST arrive together,
   * libuv reports an end in order (uv__stream_io, "short-circuit iff POLLHUP"); a write
   * distinguishes them.
   */
  async wasReset(): Promise<boolean> {
    const how = await within('the end of the connection', this.ended);
    if (how !== 'fin') return how === 'ECONNRESET';
    return this.send('?').then(
      () => false,
      () => true,
    );
  }

  /** Resolves when the bytes were handed to the kernel. */
  send(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(data, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** FIN: no more bytes from here. */
  finish(): void {
    this.socket.end();
  }

  /** RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #length(): number {
    return this.#buffered.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
    }
  }
}

/** Connects; an error is thrown with its code. The connection ends with the test. */
export async function dial(t: Test, target: Target): Promise<Wire> {
  const wire = await tryDial(target);
  if (typeof wire === 'string') throw new Error(`connect: ${wire}`);
  t.teardown(() => wire.socket.destroy());
  return wire;
}

/** Connects, or gives the error's code. */
export function tryDial(target: Target): Promise<Wire | string> {
  const socket = new Socket({ allowHalfOpen: true });
  const wire = new Wire(socket);
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(wire));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    const { port, host = '127.0.0.1', localAddress, path } = target;
    const from = localAddress === undefined ? {} : { localAddress };
    socket.connect(path === undefined ? { port, host, ...from } : { path });
  });
}

/** A server whose connections the test takes one by one. */
export class WireServer {
  readonly port: number;
  readonly accepted = new Feed<Wire>();
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => this.accepted.push(new Wire(socket)));
  }

  static async start(t: Test): Promise<WireServer> {
    const server = createServer({ allowHalfOpen: true });
    const port = await freePort();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host: '127.0.0.1' }, resolve);
    });
    const wires = new WireServer(server, port);
    t.teardown(() => wires.stop());
    return wires;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /**
   * The next connection that comes after this call. Probes that only connect are connections too.
   */
  next(): Promise<Wire> {
    return this.accepted.next('a connection at the backend', () => true);
  }

  stop(): void {
    this.#server.close();
    for (const wire of this.accepted.past) wire.socket.destroy();
  }
}
