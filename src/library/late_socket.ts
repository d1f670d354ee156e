/**
 * A socket for libraries that make one first and connect it afterwards: what is dialled stands
 * behind it as soon as it is there. A dial that fails is its error and its end, as of any socket.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Ends with `signal`: the connection is not waited for any more. */
export type SocketDial = (about: { readonly signal: AbortSignal }) => Promise<Socket>;

export class LateSocket extends Duplex {
  readonly #dial: SocketDial;
  readonly #given = new AbortController();
  #socket: Socket | null = null;
  #begun: 'no' | 'yes' = 'no';
  /** A write, or the end, that came before the connection. */
  #held: (() => void) | null = null;

  constructor(dial: SocketDial) {
    super({ allowHalfOpen: false });
    this.#dial = dial;
  }

  /** As `net.Socket#connect`; where to is the balancer's to say. */
  connect(): this {
    if (this.#begun === 'yes' || this.destroyed) return this;
    this.#begun = 'yes';
    const { signal } = this.#given;
    this.#dial({ signal }).then(
      (socket) => this.#adopt(socket),
      (error: unknown) => this.destroy(error as Error),
    );
    return this;
  }

  get connecting(): boolean {
    return this.#socket === null && !this.destroyed;
  }

  get remoteAddress(): string | undefined {
    return this.#socket?.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket?.remotePort;
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
    this.#whenConnected((socket) => socket.write(chunk, done));
  }

  override _final(done: () => void): void {
    this.#whenConnected((socket) => socket.end(done));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#given.abort();
    this.#socket?.destroy();
    done(error);
  }

  #whenConnected(act: (socket: Socket) => void): void {
    const socket = this.#socket;
    if (socket !== null) act(socket);
    else this.#held = () => this.#whenConnected(act);
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
