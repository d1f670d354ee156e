/** A client that does what its plan says, and knows everything that happened to it. */
import { Socket } from 'node:net';
import { pass } from '../support/deadline.js';
import type { Target } from '../support/wire.js';
import type { ClientPlan, Step } from './program.js';
import { headerBytes, sourceOf } from './proxy_header.js';
import { bytesOf, Receiver } from './stream.js';

/** How the other side ended its direction, as far as this side can see. */
export type Seen = 'nothing' | 'fin' | 'reset';

export class Client {
  readonly plan: ClientPlan;
  readonly receiver = new Receiver('backend');
  /** Bytes of its stream, without a PROXY header. */
  sent = 0;
  finished = false;
  didReset = false;
  headerSent = false;
  seen: Seen = 'nothing';
  connectError: string | null = null;
  /** Its address as the daemon sees it, and the one that it connected to. */
  address = '';
  target = '';
  /** Resolves when the other side has ended its direction, or this side has reset. */
  readonly over: Promise<void>;
  #over: () => void = () => {};
  readonly #socket = new Socket({ allowHalfOpen: true });

  constructor(plan: ClientPlan) {
    this.plan = plan;
    this.over = new Promise((resolve) => {
      this.#over = resolve;
    });
    this.#watch();
  }

  /** What the access line calls it. */
  get name(): string {
    return this.headerSent && (this.plan.header?.kind === 'v1' || this.plan.header?.kind === 'v2')
      ? sourceOf(this.plan.id)
      : this.address;
  }

  async run(target: Target): Promise<void> {
    if (!(await this.#connect(target))) return this.#over();
    await this.#sendHeader();
    for (const step of this.plan.steps) {
      if (this.#socket.destroyed) return;
      await this.#step(step);
    }
    if (!this.finished && !this.#socket.destroyed) this.#finish();
  }

  /** From now on it reads, whatever it did before. */
  release(): void {
    this.#socket.resume();
  }

  /** Ends what is left of it. */
  dispose(): void {
    this.#socket.destroy();
    this.#over();
  }

  #watch(): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.receiver.take(chunk));
    // libuv calls a reset that comes together with data an end: only writing distinguishes them.
    socket.on('end', () => {
      if (socket.writableEnded) this.#see('fin');
      else socket.write('', (error) => this.#see(error ? 'reset' : 'fin'));
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.address === '') this.connectError ??= error.code ?? error.message;
      this.#see('reset');
    });
    socket.on('close', () => this.#over());
  }

  #see(what: Seen): void {
    if (this.seen === 'nothing') this.seen = what;
    this.#over();
  }

  #connect({ port, host = '127.0.0.1', path }: Target): Promise<boolean> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      socket.once('connect', () => {
        // A socket that was reset at once does not say any more which addresses it had.
        const at = (address: string, of: number): string =>
          address.includes(':') ? `[${address}]:${of}` : `${address}:${of}`;
        const { localAddress = 'unknown', localPort = 0 } = socket;
        this.address = path === undefined ? at(localAddress, localPort) : 'unix:';
        this.target = path === undefined ? at(host, port) : `unix:${path}`;
        resolve(true);
      });
      socket.once('close', () => resolve(false));
      socket.connect(path === undefined ? { port, host } : { path });
    });
  }

  async #sendHeader(): Promise<void> {
    const { header, id } = this.plan;
    if (header === null) return;
    const bytes = headerBytes(header.kind, id);
    const size = Math.max(1, Math.ceil(bytes.length / header.pieces));
    for (let at = 0; at < bytes.length && !this.#socket.destroyed; at += size) {
      if (at > 0) await pause(header.gapMs);
      this.#socket.write(bytes.subarray(at, at + size));
    }
    this.headerSent = !this.#socket.destroyed;
  }

  async #step(step: Step): Promise<void> {
    switch (step.do) {
      case 'send':
        if (this.finished) return;
        this.#socket.write(bytesOf('client', this.plan.id, this.sent, step.bytes));
        this.sent += step.bytes;
        return;
      case 'pause':
        return pause(step.ms);
      case 'finish':
        return this.#finish();
      case 'reset':
        this.didReset = true;
        if (this.address === 'unix:' || this.#socket.writableEnded) this.#socket.destroy();
        else this.#socket.resetAndDestroy();
        return;
      case 'stop-reading':
        this.#socket.pause();
        return;
      case 'read':
        this.#socket.resume();
        return;
    }
  }

  #finish(): void {
    this.finished = true;
    this.#socket.end();
  }
}

/** 0 ms: a turn of the event loop. */
export function pause(ms: number): Promise<void> {
  return ms === 0 ? new Promise((resolve) => setImmediate(resolve)) : pass(ms);
}
