/**
 * A backend that echoes, counts its connections exactly and can die and come back on its port.
 *
 * `open` counts from the accept to the moment before this side's FIN is sent. A proxy cannot have
 * seen both ends finished before that, so whatever passes a cap here has passed it in truth, in
 * whichever order this process learns of its events.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';
import { pass } from '../deadline.js';
import { freePort } from '../places.js';

export interface EchoOptions {
  /** Every chunk is answered this much later. */
  readonly delayMs?: number;
  /** 127.0.0.1 by default. */
  readonly host?: string;
}

export class EchoBackend {
  readonly host: string;
  readonly port: number;
  /** Connections that sent at least one byte: probes that only connect are not among them. */
  served = 0;
  open = 0;
  peak = 0;
  /** Changes the delay of answers from now on. */
  delayMs: number;
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();

  constructor(port: number, options: EchoOptions = {}) {
    this.port = port;
    this.host = options.host ?? '127.0.0.1';
    this.delayMs = options.delayMs ?? 0;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#serve(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: this.port, host: this.host, backlog: 4096 }, resolve);
    });
    this.#server = server;
  }

  /** Dies: the port refuses, and every connection is reset. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) {
      // libuv refuses to reset a socket whose FIN is on its way, and Node.js loses it then.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    let counted = false;
    const count = (): void => {
      if (counted) return;
      counted = true;
      this.served++;
      this.open++;
      this.peak = Math.max(this.peak, this.open);
    };
    let left = false;
    const leave = (): void => {
      if (left || !counted) return;
      left = true;
      this.open--;
    };
    socket.on('data', (chunk: Buffer) => {
      count();
      if (this.delayMs === 0) this.#echo(socket, chunk);
      else void pass(this.delayMs).then(() => this.#echo(socket, chunk));
    });
    socket.on('end', () => {
      const finish = (): void => {
        leave();
        socket.end();
      };
      if (this.delayMs === 0) finish();
      else void pass(this.delayMs).then(finish);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      leave();
      this.#sockets.delete(socket);
    });
  }

  #echo(socket: Socket, chunk: Buffer): void {
    if (socket.destroyed || socket.writableEnded) return;
    if (socket.write(chunk) || socket.isPaused()) return;
    socket.pause();
    socket.once('drain', () => socket.resume());
  }
}

/** `count` echoing backends, started; they end with the test. */
export async function startEchoes(
  t: Test,
  count: number,
  options: EchoOptions = {},
): Promise<readonly EchoBackend[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const backend = new EchoBackend(await freePort(), options);
      t.teardown(() => backend.kill());
      await backend.start();
      return backend;
    }),
  );
}
