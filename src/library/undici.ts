/**
 * `sluice/undici`: what an `Agent`, `Pool` or `Client` of undici takes as `connect`. Each of its
 * connections goes to a backend that the balancer chooses; the origin of a request names none.
 */
import type { Socket } from 'node:net';
import {
  type AdapterOptions,
  type Connects,
  connectOptionsOf,
  mustBeBalancer,
} from './adapter_balancer.js';
import { secured } from './secured.js';

/** What of undici's options is used (types/connector.d.ts). */
export interface ConnectorOptions {
  readonly hostname: string;
  readonly protocol: string;
  readonly servername?: string | null;
}

export type ConnectorCallback = (...answer: [null, Socket] | [Error, null]) => void;
export type Connector = (options: ConnectorOptions, done: ConnectorCallback) => void;

export interface UndiciOptions extends AdapterOptions {
  /** For `https:` origins: further options of `tls.connect`. */
  readonly tls?: Readonly<Record<string, unknown>>;
}

/** `new Agent({ connect: undiciConnector(balancer) })` */
export function undiciConnector(balancer: Connects, options: UndiciOptions = {}): Connector {
  mustBeBalancer(balancer);
  const asked = connectOptionsOf(options, ['tls']);
  const { tls = {} } = options;
  const dial = async ({ protocol, hostname, servername }: ConnectorOptions): Promise<Socket> => {
    const socket = await balancer.connect(asked);
    if (protocol !== 'https:') return socket;
    const name = servername ?? hostname;
    return secured(socket, { ALPNProtocols: ['http/1.1'], servername: name, ...tls });
  };
  return (to, done) => {
    dial(to).then(
      (socket) => done(null, socket),
      (error: unknown) => done(error as Error, null),
    );
  };
}
