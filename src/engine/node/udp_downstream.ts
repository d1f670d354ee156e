/**
 * One bound socket of a UDP listener, and the flows of the clients that send to it. Replies leave
 * from this socket, and so from the address that the client used.
 */
import type { Socket } from 'node:dgram';
import type { IpEndpoint } from '../../core/endpoint.js';
import { ipv4Number } from '../../core/ip_bytes.js';
import type { Descriptor } from '../../kernel/descriptor.js';
import type { ReplySocket } from '../../kernel/reply_socket.js';
import type { ListenerKey } from '../../session/tcp_port.js';
import type { NodeFlow } from './udp_flow.js';
import type { BoundSocket } from './udp_opening.js';

export class Downstream {
  readonly key: ListenerKey;
  readonly local: IpEndpoint;
  readonly socket: Socket;
  readonly fd: Descriptor | null;
  /** In the place of `socket`, which is closed then: replies leave, and nothing is received. */
  replies: ReplySocket | null = null;
  /** By IPv4 address and port as one number; and by text where a number does not do. */
  readonly #byNumber = new Map<number, NodeFlow>();
  readonly #byText = new Map<string, NodeFlow>();

  constructor(key: ListenerKey, local: IpEndpoint, { socket, fd }: BoundSocket) {
    this.key = key;
    this.local = local;
    this.socket = socket;
    this.fd = fd;
  }

  /** Flows of this socket. */
  get size(): number {
    return this.#byNumber.size + this.#byText.size;
  }

  find(host: string, port: number, tag: string): NodeFlow | undefined {
    return this.#numbered(tag)
      ? this.#byNumber.get(numberKey(host, port))
      : this.#byText.get(textKey(host, port, tag));
  }

  add(flow: NodeFlow): void {
    const { host, tag } = flow;
    const { port } = flow.client;
    if (this.#numbered(tag)) this.#byNumber.set(numberKey(host, port), flow);
    else this.#byText.set(textKey(host, port, tag), flow);
  }

  remove(flow: NodeFlow): void {
    const { host, tag } = flow;
    const { port } = flow.client;
    if (this.#numbered(tag)) this.#byNumber.delete(numberKey(host, port));
    else this.#byText.delete(textKey(host, port, tag));
  }

  #numbered(tag: string): boolean {
    return this.local.family === 4 && tag === '';
  }
}

/** Dotted decimal and a port as one number below 2^48: no text is made or hashed a datagram. */
function numberKey(host: string, port: number): number {
  return ipv4Number(host) * 65_536 + port;
}

function textKey(host: string, port: number, tag: string): string {
  return `${host} ${port} ${tag}`;
}
