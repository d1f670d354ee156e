/** One UDP socket of a test: a client or a backend, with what it received in order. */
import { createSocket, type Socket } from 'node:dgram';
import { type IpEndpoint, ipEndpoint } from '../../src/core/endpoint.js';
import { Feed } from './feed.js';

export interface Received {
  readonly bytes: Buffer;
  readonly from: IpEndpoint;
}

export class UdpPeer {
  readonly endpoint: IpEndpoint;
  readonly received = new Feed<Received>();
  readonly #socket: Socket;
  #claimed = 0;
  #state: 'open' | 'closed' = 'open';

  constructor(socket: Socket, endpoint: IpEndpoint) {
    this.#socket = socket;
    this.endpoint = endpoint;
    socket.on('message', (bytes, from) => {
      const family = from.family === 'IPv4' ? 4 : 6;
      this.received.push({ bytes, from: ipEndpoint(family, from.address, from.port) });
    });
    socket.on('error', () => {});
  }

  /** A socket at `host`, on a port of the kernel's choice unless one is given. */
  static async open(host = '127.0.0.1', port = 0): Promise<UdpPeer> {
    const family = host.includes(':') ? 6 : 4;
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', ipv6Only: family === 6 });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, resolve);
    });
    socket.removeAllListeners('error');
    return new UdpPeer(socket, ipEndpoint(family, host, socket.address().port));
  }

  send(to: IpEndpoint, payload: string | Buffer): void {
    this.#socket.send(payload, to.port, to.host);
  }

  /** The next datagram that was not returned before. */
  async next(): Promise<Received> {
    const index = this.#claimed++;
    const known = this.received.past[index];
    if (known !== undefined) return known;
    return this.received.next(
      `datagram ${index + 1} at port ${this.endpoint.port}`,
      () => this.received.past.length > index,
    );
  }

  /** The next datagram as text. */
  async text(): Promise<string> {
    return (await this.next()).bytes.toString('latin1');
  }

  /** From now on every datagram is answered by what `answer` makes of it. */
  echo(answer: (bytes: Buffer) => Buffer | string = (bytes) => bytes): this {
    this.received.each(({ bytes, from }) => this.send(from, answer(bytes)));
    return this;
  }

  /** Resolves when the port is free; a second call does nothing. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}
