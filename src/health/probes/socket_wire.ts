/** A wire that is a socket of Node.js: works on every machine, and carries TLS. */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Endpoint, IpEndpoint } from '../../core/endpoint.js';
import type { Wire, WireDial } from '../../core/wire.js';

export class SocketWire implements Wire {
  error: Error | null = null;
  connected = false;
  sent = true;
  ended = false;
  readonly #kind: Endpoint['kind'];
  readonly #raw: Socket;
  /** The raw one, or TLS on top of it. */
  #socket: Socket;
  readonly #changed: () => void;

  constructor(endpoint: Endpoint, changed: () => void, source: IpEndpoint | null = null) {
    this.#changed = changed;
    this.#kind = endpoint.kind;
    this.#raw =
      endpoint.kind === 'ip'
        ? connect({
            host: endpoint.host,
            port: endpoint.port,
            noDelay: true,
            ...(source === null ? {} : { localAddress: source.host }),
          })
        : connect({ path: endpoint.path });
    this.#socket = this.#raw;
    this.#raw.once('connect', () => {
      this.connected = true;
      changed();
    });
    this.#watch(this.#raw);
  }

  get closed(): boolean {
    return this.#raw.closed;
  }

  read(): Uint8Array | null {
    return this.#socket.read();
  }

  write(bytes: Uint8Array | string): void {
    this.sent = false;
    this.#socket.write(bytes, this.#hasSent);
  }

  end(goodbye: Uint8Array | string): void {
    this.sent = false;
    this.#socket.end(goodbye, this.#hasSent);
  }

  isToItself(): boolean {
    const { localPort, localAddress, remotePort, remoteAddress } = this.#raw;
    if (localPort === undefined || localPort !== remotePort) return false;
    return localAddress === remoteAddress;
  }

  /**
   * A plain end where Node.js would keep the descriptor for as long as the other side takes: until
   * a connect is over (the kernel gives one up after two minutes), or until bytes or FIN have left.
   * A unix socket has no reset.
   */
  reset(): void {
    const raw = this.#raw;
    const isPlain =
      this.#kind === 'unix' || raw.connecting || raw.writableLength > 0 || raw.writableEnded;
    if (isPlain) this.destroy();
    else raw.resetAndDestroy();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#raw.destroy();
  }

  /** Puts TLS on the connection: `done` is called when its handshake is. */
  secure(options: ConnectionOptions, done: () => void): TLSSocket {
    this.#raw.off('readable', this.#changed);
    const secure = connectTls({ ...options, socket: this.#raw });
    this.#socket = secure;
    this.#watch(secure);
    secure.once('secureConnect', done);
    return secure;
  }

  readonly #hasSent = (error?: Error | null): void => {
    this.sent = !error;
    this.#changed();
  };

  #watch(socket: Socket): void {
    const ended = (): void => {
      this.ended = true;
      this.#changed();
    };
    socket.on('error', (error) => {
      this.error ??= error;
      this.#changed();
    });
    socket.on('readable', this.#changed);
    socket.on('end', ended);
    socket.on('close', ended);
  }
}

export const dialBySocket: WireDial = (endpoint, _, changed, source) =>
  new SocketWire(endpoint, changed, source);
