/**
 * `sluice/undici`: what an `Agent`, `Pool` or `Client` of undici takes as `connect`. Each of its
 * connections goes to a backend that the balancer chooses; the origin of a request names none.
 */
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Connects } from './adapter_balancer.js';

/** What of undici's options is used (types/connector.d.ts). */
export interface ConnectorOptions {
  readonly hostname: string;
  readonly protocol: string;
  readonly servername?: string | null;
}

export type ConnectorCallback = (error: Error | null, socket: Socket | null) => void;
export type Connector = (options: ConnectorOptions, done: ConnectorCallback) => void;

export interface UndiciOptions {
  /** What `source-hash` chooses by. */
  readonly key?: string;
  /** For `https:` origins: further options of `tls.connect`. */
  readonly tls?: Readonly<Record<string, unknown>>;
}

/** `new Agent({ connect: undiciConnector(balancer) })` */
export function undiciConnector(balancer: Connects, options: UndiciOptions = {}): Connector {
  const { key, tls = {} } = options;
  return ({ protocol, hostname, servername }, done) => {
    balancer.connect(key === undefined ? {} : { key }).then(
      (socket) => {
        if (protocol !== 'https:') return done(null, socket);
        const name = servername ?? hostname;
        const ALPNProtocols = ['http/1.1'];
        const secure = connectTls({ ALPNProtocols, servername: name, ...tls, socket });
        const failed = (error: Error): void => done(error, null);
        secure.once('error', failed);
        secure.once('secureConnect', () => {
          secure.off('error', failed);
          done(null, secure);
        });
      },
      (error: unknown) => done(error as Error, null),
    );
  };
}
