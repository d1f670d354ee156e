/**
 * A socket for libraries that make one first and connect it afterwards: what `connect` of the
 * balancer brings stands behind it as soon as it is there.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Connects } from './adapter_balancer.js';

export class LateSocket extends Duplex {
  readonly #balancer: Connects;
  readonly #key: string | undefined;
  #socket: Socket | null = null;
  #begun: 'no' | 'yes' = 'no';
  /** A write that came before the connection. */
  #held: (() => void) | null = null;

  constructor(balancer: Connects, key: string | undefined) {
    super({ allowHalfOpen: false });
    this.#balancer = balancer;
    this.#key = key;
  }

  /** As `net.Socket#connect`; where to is the balancer's to say. */
  connect(): this {
    if (this.#begun === 'yes') return this;
    this.#begun = 'yes';
    const key = this.#key;
    this.#balancer.connect(key === undefined ? {} : { key }).then(
      (socket) => this.#adopt(socket),
      (error: unknown) => this.destroy(error as Error),
    );
    return this;
  }

  setNoDelay(...how: Parameters<Socket['setNoDelay']>): this {
    this.#socket?.setNoDelay(...how);
    return this;
  }

  setKeepAlive(...how: Parameters<Socket['setKeepAlive']>): this {
    this.#socket?.setKeepAlive(...how);
    return this;
  }

  setTimeout(ms: number, listener?: () => void): this {
    this.#socket?.setTimeout(ms, listener);
    return this;
  }

  ref(): this {
    this.#socket?.ref();
    return this;
  }

  unref(): this {
    this.#socket?.unref();
    return this;
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const write = (): void => void this.#socket?.write(chunk, done);
    if (this.#socket === null) this.#held = write;
    else write();
  }

  override _final(done: () => void): void {
    if (this.#socket === null) this.#held = done;
    else this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket?.destroy();
    done(error);
  }

  #adopt(socket: Socket): void {
    if (this.destroyed) return void socket.destroy();
    this.#socket = socket;
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    this.#held?.();
    this.#held = null;
    this.emit('connect');
  }
}
