/**
 * A server of the demo: it reads one line, works on it for a while, answers with its own name and
 * the line, and hangs up.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Timers } from '../../core/clock.js';
import { jittered, type Random } from '../../core/random.js';

const HOST = '127.0.0.1';
/** Service times vary by up to this share of their mean. */
const SERVICE_JITTER = 0.5;
/** More is no request of the demo. */
const MAX_REQUEST_CHARACTERS = 64;

export interface DemoBackendDeps {
  readonly timers: Timers;
  readonly random: Random;
  /** A request has come. */
  readonly reached: (request: string) => void;
}

export class DemoBackend {
  readonly name: string;
  readonly #serviceMs: number;
  readonly #deps: DemoBackendDeps;
  #port = 0;
  #server: Server | null = null;

  constructor(name: string, meanServiceMs: number, deps: DemoBackendDeps) {
    this.name = name;
    this.#serviceMs = meanServiceMs;
    this.#deps = deps;
  }

  get address(): string {
    return `${HOST}:${this.#port}`;
  }

  /**
   * Accepts, the second time at the same port as the first; rejects when the port was taken
   * meanwhile.
   */
  async open(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    server.listen({ host: HOST, port: this.#port });
    await once(server, 'listening');
    server.on('error', () => {});
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Accepts nothing more; what it has accepted is still answered. */
  shut(): void {
    this.#server?.close();
    this.#server = null;
  }

  #serve(socket: Socket): void {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_REQUEST_CHARACTERS) socket.destroy();
      if (text.endsWith('\n')) this.#answer(socket, text.trimEnd());
    });
  }

  #answer(socket: Socket, request: string): void {
    const { random, timers, reached } = this.#deps;
    reached(request);
    const workMs = jittered(random, this.#serviceMs, SERVICE_JITTER);
    timers.after(workMs, () => socket.end(`${this.name} ${request}\n`));
  }
}
