/** A backend of a program: dies, comes back, takes no connection, and has its habits. */
import { createServer, type Server, type Socket } from 'node:net';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { type SilentEndpoint, silentEndpoint } from '../support/silent_endpoint.js';
import { pause } from './client.js';
import type { BackendPlan, Habit, Standing } from './program.js';
import { readHeader } from './proxy_header.js';
import { beginsStream, bytesOf, Receiver } from './stream.js';

const GREETING_BYTES = 1_000;
const TAIL_BYTES = 100;
const BULK_BYTES = 1_500_000;
const SLOW_MS = 20;

/** One connection at a backend, a probe's included, and all that happened to it. */
export class Connection {
  readonly id: number;
  readonly backend: string;
  readonly habit: Habit;
  readonly receiver = new Receiver('client');
  /** The address that a PROXY header named; null: none, or unknown. */
  told: string | null = null;
  hadHeader = false;
  sent = 0;
  finished = false;
  didReset = false;
  sawFin = false;
  readonly #socket: Socket;
  #unread: Buffer | null = Buffer.alloc(0);
  #isReleased = false;

  constructor(id: number, backend: string, habit: Habit, socket: Socket) {
    this.id = id;
    this.backend = backend;
    this.habit = habit;
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.#ended());
    this.#begin();
  }

  reset(): void {
    if (this.#socket.destroyed) return;
    this.didReset = true;
    // libuv refuses to reset a socket whose FIN is on its way, and Node.js loses it then.
    if (this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** From now on it reads quickly, and ends when its client has. */
  release(): void {
    this.#isReleased = true;
    this.#socket.resume();
    if (this.sawFin) this.#finish();
  }

  dispose(): void {
    this.#socket.destroy();
  }

  #begin(): void {
    if (this.habit === 'reset-early') return this.reset();
    if (this.habit === 'greet') this.#send(GREETING_BYTES);
    if (this.habit === 'finish-first') {
      this.#send(GREETING_BYTES);
      this.#finish();
    }
    if (this.habit === 'deaf') this.#socket.pause();
  }

  #take(chunk: Buffer): void {
    const bytes = this.#unread === null ? chunk : this.#pastHeader(chunk);
    if (bytes === null || bytes.length === 0) return;
    this.receiver.take(bytes);
    if (this.habit === 'reset-late') return this.reset();
    if (this.habit === 'answer' || this.habit === 'greet') this.#send(bytes.length);
    if (this.habit === 'bulk' && this.sent === 0) this.#send(BULK_BYTES);
    if (this.habit === 'slow' && !this.#isReleased) {
      this.#socket.pause();
      void pause(SLOW_MS).then(() => this.#socket.resume());
    }
  }

  /** What follows the PROXY header, if there is one; null: it is not known yet. */
  #pastHeader(chunk: Buffer): Buffer | null {
    const bytes = Buffer.concat([this.#unread ?? Buffer.alloc(0), chunk]);
    this.#unread = bytes;
    if (beginsStream(bytes[0])) {
      this.#unread = null;
      return bytes;
    }
    const told = readHeader(bytes);
    if (told === null) return null;
    this.hadHeader = true;
    this.told = told.source;
    this.#unread = null;
    return bytes.subarray(told.length);
  }

  #ended(): void {
    this.sawFin = true;
    if (this.habit !== 'mute' && !this.finished) this.#send(TAIL_BYTES);
    this.#finish();
  }

  #send(count: number): void {
    if (this.finished || this.#socket.destroyed) return;
    this.#socket.write(bytesOf('backend', this.id, this.sent, count));
    this.sent += count;
  }

  #finish(): void {
    if (this.finished || this.#socket.destroyed) return;
    this.finished = true;
    this.#socket.end();
  }
}

export class Backend {
  readonly plan: BackendPlan;
  readonly port: number;
  readonly connections: Connection[] = [];
  /** What it has been so far. */
  readonly history: Set<Standing>;
  standing: Standing = 'dead';
  readonly #number: () => number;
  #server: Server | null = null;
  #silent: SilentEndpoint | null = null;
  #isReleased = false;
  #turning: Promise<void> = Promise.resolve();

  /** `number`: gives each connection of a program its own. */
  constructor(plan: BackendPlan, port: number, number: () => number) {
    this.plan = plan;
    this.history = new Set([plan.first]);
    this.port = port;
    this.#number = number;
  }

  /** Becomes what it is set to be; one change after the other. */
  turn(to: Standing): Promise<void> {
    if (to === this.standing) return this.#turning;
    this.history.add(to);
    this.standing = to;
    this.#turning = this.#turning.then(() => this.#turn(to));
    return this.#turning;
  }

  release(): void {
    this.#isReleased = true;
    for (const connection of this.connections) connection.release();
  }

  async dispose(): Promise<void> {
    await this.turn('dead');
    for (const connection of this.connections) connection.dispose();
  }

  async #turn(to: Standing): Promise<void> {
    await this.#leave();
    if (to === 'dead') return;
    if (to === 'silent') {
      this.#silent = await silentEndpoint(ipEndpoint(4, '127.0.0.1', this.port));
      return;
    }
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const { habits, name } = this.plan;
      const habit = habits[this.connections.length % habits.length] ?? 'answer';
      const connection = new Connection(this.#number(), name, habit, socket);
      this.connections.push(connection);
      if (this.#isReleased) connection.release();
    });
    server.on('error', () => {});
    await new Promise<void>((resolve) => {
      server.once('error', () => resolve());
      server.listen({ port: this.port, host: '127.0.0.1', backlog: 4096 }, resolve);
    });
    this.#server = server;
  }

  async #leave(): Promise<void> {
    this.#silent?.close();
    this.#silent = null;
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const connection of this.connections) connection.reset();
    await closed;
  }
}
